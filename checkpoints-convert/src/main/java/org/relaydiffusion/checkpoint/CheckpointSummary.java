// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.PlainText;
import org.relaydiffusion.Printable;
import org.relaydiffusion.torch.DType;

/**
 * The contents of a checkpoint, without the data of its tensors.
 *
 * @param file the file
 * @param format the format
 * @param networks by key
 * @param prefix removed from the names of all tensors that do not belong to a network
 * @param tensors those that do not belong to a network
 * @param otherEntries the rest, by key
 */
public record CheckpointSummary(
    Path file,
    CheckpointFormat format,
    Map<String, NetworkSummary> networks,
    String prefix,
    List<TensorInfo> tensors,
    Map<String, CheckpointEntry> otherEntries) {
  private static final int LONGEST_VALUE = 400;

  /**
   * A network.
   *
   * @param className the class of the preconditioner
   * @param initKwargs its constructor arguments, as plain values
   * @param parameterCount the total number of elements of all parameters
   * @param tensors parameters and buffers, in the order of the state_dict
   */
  public record NetworkSummary(
      String className,
      Map<String, @Nullable Object> initKwargs,
      long parameterCount,
      List<TensorInfo> tensors) {}

  /** The name, dtype and shape of a tensor. */
  public record TensorInfo(String name, DType dtype, List<Long> shape) {
    @Override
    public String toString() {
      return "%s %s%s".formatted(Printable.of(name), dtype.torchName(), shape);
    }
  }

  static CheckpointSummary of(Checkpoint checkpoint) {
    Map<String, NetworkSummary> networks = new LinkedHashMap<>();
    checkpoint
        .networks()
        .forEach((key, network) ->
            networks.put(
                key,
                new NetworkSummary(
                    network.className(),
                    network.initKwargs(),
                    network.parameterCount(),
                    infos(network.tensors()))));
    return new CheckpointSummary(
        checkpoint.path(),
        checkpoint.format(),
        networks,
        checkpoint.prefix(),
        infos(checkpoint.tensors()),
        checkpoint.otherEntries());
  }

  static CheckpointSummary of(ModuleFile file) {
    Map<String, CheckpointEntry> metadata = new LinkedHashMap<>();
    file.metadata().forEach((key, value) -> metadata.put(key, new CheckpointEntry.Plain(value)));
    return new CheckpointSummary(
        file.path(), file.format(), Map.of(), file.prefix(), infos(file.tensors()), metadata);
  }

  private static List<TensorInfo> infos(Map<String, StoredTensor> tensors) {
    return tensors.entrySet().stream()
        .map(e ->
            new TensorInfo(
                e.getKey(),
                e.getValue().dtype(),
                Arrays.stream(e.getValue().shape()).boxed().toList()))
        .toList();
  }

  /** Returns the summary as lines of text. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add("%s: %s".formatted(file, format.label()));
    networks.forEach((key, network) -> {
      lines.add(
          "%s: %s, %s parameters in %s tensors"
              .formatted(
                  key,
                  Printable.of(network.className()),
                  network.parameterCount(),
                  network.tensors().size()));
      network
          .initKwargs()
          .forEach(
              (name, value) -> lines.add("  %s = %s".formatted(Printable.of(name), json(value))));
      network.tensors().forEach(tensor -> lines.add("  " + tensor));
    });
    if (!prefix.isEmpty()) {
      lines.add("the name of every tensor has the prefix '%s'".formatted(prefix));
    }
    tensors.forEach(tensor -> lines.add(tensor.toString()));
    otherEntries.forEach(
        (key, entry) -> lines.add("%s: %s".formatted(Printable.of(key), describe(entry))));
    return lines;
  }

  private static String describe(CheckpointEntry entry) {
    return switch (entry) {
      case CheckpointEntry.Plain plain -> json(plain.value());
      case CheckpointEntry.ObjectEntry object ->
          Printable.of(object.className()) + " " + json(object.initKwargs());
      case CheckpointEntry.Summary summary -> summary.what();
    };
  }

  private static String json(@Nullable Object value) {
    return PlainText.of(value, LONGEST_VALUE);
  }
}
