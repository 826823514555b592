// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.relaydiffusion.io.StoredZipWriter;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.tests.bench.PickleWriter.FloatTensor;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * A training state as written by {@code torch.save}, of any size, with random weights: Adam's
 * state, the EMA and the network. It is written in chunks and needs almost no memory.
 */
public final class SyntheticCheckpoint {
  private static final String CLASS_NAME = "EDMPrecond";
  private static final String FOLDER = "training-state/";
  private static final int FLOATS = 1 << 20;

  private final Map<String, Object> kwargs;
  private final List<FloatTensor> tensors = new ArrayList<>();
  private final ByteBuffer noise = noise();

  private SyntheticCheckpoint(Map<String, Object> kwargs) {
    this.kwargs = kwargs;
  }

  /**
   * What was written.
   *
   * @param fileBytes the whole file
   * @param networkBytes the tensors of one network
   * @param parameters the learned elements of one network
   */
  public record Written(long fileBytes, long networkBytes, long parameters) {}

  /** The configuration that arguments stand for. */
  public static ModelConfig config(Map<String, Object> kwargs) {
    return ModelConfig.of(CLASS_NAME, kwargs);
  }

  /** The learned elements of one network. */
  public static long parameterCount(Map<String, Object> kwargs) {
    try (Preconditioner network = Preconditioner.of(config(kwargs))) {
      return network.parameterCount();
    }
  }

  /** Writes {@code {optimizer_state, step, ema, net}} for a network made with {@code kwargs}. */
  public static Written write(Path file, Map<String, Object> kwargs) throws IOException {
    try (Preconditioner network = Preconditioner.of(config(kwargs))) {
      new SyntheticCheckpoint(kwargs).write(file, network);
      long bytes = 4 * network.state().values().stream().mapToLong(Parameter::numel).sum();
      return new Written(file.toFile().length(), bytes, network.parameterCount());
    }
  }

  private void write(Path file, Preconditioner network) throws IOException {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("optimizer_state", optimizer(network));
    root.put("step", 123_000);
    root.put("ema", module(network));
    root.put("net", module(network));
    byte[] pickle = PickleWriter.write(root);
    try (FileChannel out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      StoredZipWriter zip = new StoredZipWriter(out, StoredZipWriter.Layout.TORCH);
      text(zip, "data.pkl", pickle);
      text(zip, "byteorder", "little".getBytes(StandardCharsets.US_ASCII));
      for (FloatTensor t : tensors) {
        zip.add(FOLDER + "data/" + t.key(), 4 * t.numel(), sink -> noise(t.numel(), sink));
      }
      text(zip, "version", "3\n".getBytes(StandardCharsets.US_ASCII));
      zip.finish();
    }
  }

  private static void text(StoredZipWriter zip, String name, byte[] bytes) throws IOException {
    zip.add(FOLDER + name, bytes.length, sink -> sink.accept(ByteBuffer.wrap(bytes)));
  }

  /** The same block of normal numbers again and again. */
  private void noise(long floats, StoredZipWriter.Sink sink) throws IOException {
    for (long left = floats; left > 0; left -= FLOATS) {
      sink.accept(noise.duplicate().limit((int) (4 * Math.min(left, FLOATS))));
    }
  }

  private static ByteBuffer noise() {
    Random random = new Random(1);
    ByteBuffer noise = ByteBuffer.allocateDirect(4 * FLOATS).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < FLOATS; i++) {
      noise.putFloat((float) (0.02 * random.nextGaussian()));
    }
    return noise.flip();
  }

  private FloatTensor tensor(long[] shape, boolean parameter) {
    FloatTensor t = new FloatTensor(String.valueOf(tensors.size()), shape, parameter);
    tensors.add(t);
    return t;
  }

  private Map<String, Object> optimizer(Preconditioner network) {
    Map<Long, Object> state = new LinkedHashMap<>();
    for (Parameter p : network.state().values()) {
      if (p.kind() == Parameter.Kind.PARAMETER) {
        Map<String, Object> adam = new LinkedHashMap<>();
        adam.put("step", tensor(new long[0], false));
        adam.put("exp_avg", tensor(p.shape(), false));
        adam.put("exp_avg_sq", tensor(p.shape(), false));
        state.put((long) state.size(), adam);
      }
    }
    Map<String, Object> group = new LinkedHashMap<>();
    group.put("lr", 1e-4);
    group.put("params", List.copyOf(state.keySet()));
    Map<String, Object> optimizer = new LinkedHashMap<>();
    optimizer.put("state", state);
    optimizer.put("param_groups", List.of(group));
    return optimizer;
  }

  private PickleWriter.Persistent module(Preconditioner network) {
    Map<String, Object> state = attributes(network.children(), network.ownState());
    state.put("_init_args", new PickleWriter.Tuple(List.of()));
    state.put("_init_kwargs", kwargs);
    return new PickleWriter.Persistent(CLASS_NAME, state);
  }

  /** The parts of a module; a dot in a part's name is a dictionary's. */
  private Map<String, Object> attributes(Map<String, Module> children, List<Parameter> own) {
    Map<String, Object> parameters = new LinkedHashMap<>();
    Map<String, Object> buffers = new LinkedHashMap<>();
    for (Parameter p : own) {
      boolean parameter = p.kind() == Parameter.Kind.PARAMETER;
      (parameter ? parameters : buffers).put(p.name(), tensor(p.shape(), parameter));
    }
    Map<String, Object> modules = new LinkedHashMap<>();
    Map<String, Map<String, Module>> dictionaries = new LinkedHashMap<>();
    children.forEach((name, child) -> {
      int dot = name.indexOf('.');
      if (dot >= 0) {
        dictionaries
            .computeIfAbsent(name.substring(0, dot), _ -> new LinkedHashMap<>())
            .put(name.substring(dot + 1), child);
      } else {
        modules.put(
            name,
            new PickleWriter.Persistent(
                child.getClass().getSimpleName(), attributes(child.children(), child.ownState())));
      }
    });
    dictionaries.forEach((name, members) ->
        modules.put(
            name,
            new PickleWriter.Plain(
                "torch.nn.modules.container", "ModuleDict", attributes(members, List.of()))));
    Map<String, Object> attributes = new LinkedHashMap<>();
    attributes.put("training", false);
    attributes.put("_parameters", parameters);
    attributes.put("_buffers", buffers);
    attributes.put("_non_persistent_buffers_set", Set.of());
    attributes.put("_modules", modules);
    return attributes;
  }
}
