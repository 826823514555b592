// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.TensorData;

/**
 * A network in a checkpoint: a class, its constructor arguments, and its tensors.
 *
 * @param className the class of the preconditioner, such as {@code EDMPrecond}
 * @param initKwargs the arguments by name, including those of the inner model, as plain values:
 *     String, Long, Double, Boolean, null, and lists and maps of these
 * @param tensors parameters and buffers by their dotted names, in the order of PyTorch's
 *     state_dict; valid while the checkpoint is open
 * @param parameterNames the names of the parameters, in the same order
 * @param modules the paths of all modules, including those without tensors; empty if the file does
 *     not list modules
 */
public record NetworkRecord(
    String className,
    Map<String, @Nullable Object> initKwargs,
    Map<String, StoredTensor> tensors,
    List<String> parameterNames,
    List<String> modules) {
  /** Copies both maps, keeping their order. */
  public NetworkRecord {
    initKwargs = Collections.unmodifiableMap(new LinkedHashMap<>(initKwargs));
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    parameterNames = List.copyOf(parameterNames);
    modules = List.copyOf(modules);
  }

  /**
   * Returns all tensors for LibTorch, see {@link StoredTensor#data}. Their data is read if the file
   * has checksums or the data is not aligned.
   *
   * @throws org.relaydiffusion.FileException if a checksum is wrong
   */
  public Map<String, TensorData> state() {
    Map<String, TensorData> state = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> state.put(name, tensor.data()));
    return Collections.unmodifiableMap(state);
  }

  /** Returns the total number of elements of all parameters. */
  public long parameterCount() {
    return parameterNames.stream()
        .map(tensors::get)
        .mapToLong(t -> t == null ? 0 : t.numel())
        .sum();
  }
}
