// SPDX-License-Identifier: Apache-2.0
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
 * The configuration of a network, for a bare state_dict.
 *
 * @param className the class of the preconditioner, such as {@code EDMPrecond}
 * @param initKwargs its constructor arguments, including those of the inner model, as plain values
 */
public record NetworkDescription(String className, Map<String, @Nullable Object> initKwargs) {
  private static final String CLASS_NAME = "class_name";
  private static final String INIT_KWARGS = "init_kwargs";

  /** The buffers of these networks, by the last part of their names. */
  private static final Set<String> BUFFERS = Set.of("resample_filter", "freqs", "u");

  /** Keys under which training scripts save a state_dict. */
  private static final List<String> OUTER = List.of("state_dict", "model_state_dict", "model");

  /** Copies the arguments, keeping their order. */
  public NetworkDescription {
    initKwargs = Collections.unmodifiableMap(new LinkedHashMap<>(initKwargs));
  }

  /**
   * Reads a JSON file with a {@code class_name} and an object {@code init_kwargs}, as listed by
   * {@code rdm inspect --json}.
   *
   * @throws FileException if it cannot be read, or lacks either
   */
  public static NetworkDescription ofJson(Path file) {
    Map<String, @Nullable Object> json;
    try {
      json = PlainJson.readObject(InputFile.text(file));
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    } catch (JacksonException e) {
      throw new FileException(
          file, "is not a JSON object: " + Printable.of(String.valueOf(e.getOriginalMessage())), e);
    }
    if (json.get(CLASS_NAME) instanceof String name
        && json.get(INIT_KWARGS) instanceof Map<?, ?> m) {
      Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
      m.forEach((key, value) -> kwargs.put(String.valueOf(key), value));
      return new NetworkDescription(name, kwargs);
    }
    throw new FileException(
        file,
        "does not describe a network: expected a string \"class_name\", such as \"EDMPrecond\","
            + " and an"
            + " object \"init_kwargs\"");
  }

  /**
   * Returns the configuration of another checkpoint's network.
   *
   * @throws FileException if it cannot be read, or has no such network
   */
  public static NetworkDescription like(Path checkpoint) {
    try (Checkpoint like = Checkpoint.open(checkpoint)) {
      NetworkRecord network = like.network();
      return new NetworkDescription(network.className(), network.initKwargs());
    }
  }

  /**
   * Returns the network of a file's bare tensors with this configuration.
   *
   * @param which selects the state_dict if the file has both
   * @throws FileException if the file contains the configuration of its networks, or has no tensors
   */
  NetworkRecord network(Checkpoint file, Which which) {
    if (!file.networks().isEmpty()) {
      throw new FileException(
          file.path(),
          "contains the configuration of its networks; --config and --like are only valid for a"
              + " bare state_dict");
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

  /** Returns the tensors below the key of the network, or of a state_dict, if there is one. */
  private static Map<String, StoredTensor> state(Map<String, StoredTensor> all, Which which) {
    String outer = which.key() + ".";
    if (all.keySet().stream().noneMatch(n -> n.startsWith(outer))) {
      return OUTER.stream()
          .map(key -> below(key + ".", all))
          // A preconditioner also has an attribute 'model'.
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
