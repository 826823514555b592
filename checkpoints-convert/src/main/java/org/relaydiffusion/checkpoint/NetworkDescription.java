package org.relaydiffusion.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;
import tools.jackson.core.JacksonException;

/**
 * What a network is, for tensors that come without it: a bare state_dict.
 *
 * @param className the preconditioner's class, e.g. {@code EDMPrecond}
 * @param initKwargs the arguments it is made with, those of the inner model included, as plain
 *     values
 */
public record NetworkDescription(String className, Map<String, @Nullable Object> initKwargs) {
  private static final String CLASS_NAME = "class_name";
  private static final String INIT_KWARGS = "init_kwargs";

  /** The tensors of these networks that are no parameters, by the last part of their names. */
  private static final Set<String> BUFFERS = Set.of("resample_filter", "freqs", "u");

  /** Keys under which training scripts save a state_dict beside other things. */
  private static final List<String> OUTER = List.of("state_dict", "model_state_dict", "model");

  /** Keeps the order of the arguments. */
  public NetworkDescription {
    initKwargs = Collections.unmodifiableMap(new LinkedHashMap<>(initKwargs));
  }

  /**
   * Reads a JSON file with a {@code class_name} and an object {@code init_kwargs}, as {@code rdm
   * inspect --json} lists them of a network.
   *
   * @throws FileException when it cannot be read, or has not these two
   */
  public static NetworkDescription ofJson(Path file) {
    Map<String, @Nullable Object> json;
    try {
      json = PlainJson.readObject(InputFile.text(file));
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    } catch (JacksonException e) {
      throw new FileException(
          file, "is no JSON object: " + Printable.of(String.valueOf(e.getOriginalMessage())), e);
    }
    if (json.get(CLASS_NAME) instanceof String name
        && json.get(INIT_KWARGS) instanceof Map<?, ?> m) {
      Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
      m.forEach((key, value) -> kwargs.put(String.valueOf(key), value));
      return new NetworkDescription(name, kwargs);
    }
    throw new FileException(
        file,
        "has not what describes a network: a text \"class_name\", such as \"EDMPrecond\", and an"
            + " object \"init_kwargs\"");
  }

  /**
   * The description of another checkpoint's network.
   *
   * @throws FileException when it cannot be read, or has no such network
   */
  public static NetworkDescription like(Path checkpoint) {
    try (Checkpoint like = Checkpoint.open(checkpoint)) {
      NetworkRecord network = like.network();
      return new NetworkDescription(network.className(), network.initKwargs());
    }
  }

  /**
   * The network that a file's bare tensors are, if this describes it.
   *
   * @param which picks the state_dict where the file has one of each
   * @throws FileException when the file describes its networks itself, or has no tensors
   */
  NetworkRecord network(Checkpoint file, Which which) {
    if (!file.networks().isEmpty()) {
      throw new FileException(
          file.path(),
          "says itself what its networks are; a configuration is only for a bare state_dict");
    }
    Map<String, StoredTensor> tensors = state(file.tensors(), which);
    if (tensors.isEmpty()) {
      throw new FileException(file.path(), "has no tensors");
    }
    List<String> parameters =
        tensors.keySet().stream()
            .filter(n -> !BUFFERS.contains(n.substring(n.lastIndexOf('.') + 1)))
            .toList();
    return new NetworkRecord(className, initKwargs, tensors, parameters, List.of());
  }

  /** The tensors below the key of the network, or of a state_dict, where there is one. */
  private static Map<String, StoredTensor> state(Map<String, StoredTensor> all, Which which) {
    String outer = which.key() + ".";
    if (all.keySet().stream().noneMatch(n -> n.startsWith(outer))) {
      return OUTER.stream()
          .map(key -> below(key + ".", all))
          // 'model' is also what a preconditioner calls its network.
          .filter(below -> below.keySet().stream().anyMatch(n -> n.startsWith("model.")))
          .findFirst()
          .orElse(all);
    }
    return below(outer, all);
  }

  private static Map<String, StoredTensor> below(String outer, Map<String, StoredTensor> all) {
    Map<String, StoredTensor> below = new LinkedHashMap<>();
    all.forEach((name, tensor) -> {
      if (name.startsWith(outer)) {
        below.put(name.substring(outer.length()), tensor);
      }
    });
    return StateNames.without(StateNames.prefix(below.keySet()), below);
  }
}
