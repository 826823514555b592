package org.relaydiffusion.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.TensorData;

/**
 * A network as a checkpoint describes it: a class, the arguments it was made with, and its tensors.
 *
 * @param className the preconditioner's class, e.g. {@code EDMPrecond}
 * @param initKwargs the arguments by name, those of the inner model included, as plain values:
 *     String, Long, Double, Boolean, null, and lists and maps of these
 * @param tensors parameters and buffers by their dotted names, in the order of PyTorch's
 *     state_dict; valid for as long as the checkpoint is open
 * @param parameterNames the names of those that are parameters, in the same order
 * @param modules the paths of all modules, those without tensors included; empty where the file
 *     does not list modules
 */
public record NetworkRecord(
    String className,
    Map<String, @Nullable Object> initKwargs,
    Map<String, StoredTensor> tensors,
    List<String> parameterNames,
    List<String> modules) {
  /** Keeps the order of both maps. */
  public NetworkRecord {
    initKwargs = Collections.unmodifiableMap(new LinkedHashMap<>(initKwargs));
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    parameterNames = List.copyOf(parameterNames);
    modules = List.copyOf(modules);
  }

  /**
   * All tensors, ready for LibTorch: see {@link StoredTensor#data}. The bytes of every one are
   * touched where the file has checksums or lies badly.
   *
   * @throws org.relaydiffusion.FileException when a checksum is not the one written
   */
  public Map<String, TensorData> state() {
    Map<String, TensorData> state = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> state.put(name, tensor.data()));
    return Collections.unmodifiableMap(state);
  }

  /** The number of elements of all parameters together. */
  public long parameterCount() {
    return parameterNames.stream()
        .map(tensors::get)
        .mapToLong(t -> t == null ? 0 : t.numel())
        .sum();
  }
}
