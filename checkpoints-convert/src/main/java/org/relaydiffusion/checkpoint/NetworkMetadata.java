// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import tools.jackson.core.JacksonException;

/** A network's configuration in a safetensors header, as written and read by this project. */
final class NetworkMetadata {
  private static final String FORMAT = "format";
  private static final String CLASS_NAME = "rdm.class_name";
  private static final String INIT_KWARGS = "rdm.init_kwargs";
  private static final String WHICH = "rdm.which";
  private static final String BUFFERS = "rdm.buffers";

  private NetworkMetadata() {}

  /** Returns the metadata of the header for a network. */
  static Map<String, String> of(Which which, NetworkRecord network) {
    Set<String> parameters = Set.copyOf(network.parameterNames());
    List<String> buffers =
        network.tensors().keySet().stream().filter(n -> !parameters.contains(n)).toList();
    return of(which, network.className(), network.initKwargs(), buffers);
  }

  /**
   * Returns the metadata of the header for a network.
   *
   * @param buffers the names of the tensors that are not parameters
   */
  static Map<String, String> of(
      Which which,
      String className,
      Map<String, @Nullable Object> initKwargs,
      List<String> buffers) {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(FORMAT, "pt");
    metadata.put(CLASS_NAME, className);
    metadata.put(INIT_KWARGS, PlainJson.write(initKwargs));
    metadata.put(WHICH, which.key());
    metadata.put(BUFFERS, PlainJson.write(buffers));
    return metadata;
  }

  /** Returns the network of a file, or its plain tensors if the header describes none. */
  static CheckpointContents read(SafetensorsFile file) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    file.tensors().forEach((name, data) -> tensors.put(name, new StoredTensor(data, file.file())));
    Map<String, CheckpointEntry> others = new LinkedHashMap<>();
    file.metadata()
        .forEach((key, value) -> {
          if (!key.startsWith("rdm.") && !key.equals(FORMAT)) {
            others.put(key, new CheckpointEntry.Plain(value));
          }
        });
    file.otherTensors()
        .forEach((name, tensor) ->
            others.put(
                name,
                new CheckpointEntry.Summary(
                    "tensor %s, whose dtype cannot be loaded".formatted(tensor))));
    String className = file.metadata().get(CLASS_NAME);
    if (className == null) {
      return new CheckpointContents(Map.of(), tensors, Optional.empty(), others, Map.of());
    }
    return new CheckpointContents(
        Map.of(which(file), network(file, className, tensors)),
        Map.of(),
        Optional.empty(),
        others,
        Map.of());
  }

  private static String which(SafetensorsFile file) {
    String key = file.metadata().getOrDefault(WHICH, Which.EMA.key());
    if (Arrays.stream(Which.values()).noneMatch(w -> w.key().equals(key))) {
      throw bad(file.path(), WHICH, "'%s', expected ema or net".formatted(Printable.of(key)), null);
    }
    return key;
  }

  private static NetworkRecord network(
      SafetensorsFile file, String className, Map<String, StoredTensor> tensors) {
    String kwargs = file.metadata().get(INIT_KWARGS);
    if (kwargs == null) {
      throw bad(file.path(), INIT_KWARGS, "no value, expected a JSON object", null);
    }
    Map<String, @Nullable Object> arguments;
    try {
      arguments = PlainJson.readObject(kwargs);
    } catch (JacksonException e) {
      throw bad(file.path(), INIT_KWARGS, "a value that is not a JSON object", e);
    }
    Set<String> buffers;
    try {
      buffers = Set.copyOf(PlainJson.readStrings(file.metadata().getOrDefault(BUFFERS, "[]")));
    } catch (JacksonException e) {
      throw bad(file.path(), BUFFERS, "a value that is not a JSON list of names", e);
    }
    return new NetworkRecord(
        className,
        arguments,
        tensors,
        tensors.keySet().stream().filter(n -> !buffers.contains(n)).toList(),
        List.of());
  }

  private static FileException bad(Path file, String key, String what, @Nullable Throwable cause) {
    return new FileException(file, "the metadata has, for %s, %s".formatted(key, what), cause);
  }
}
