// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.PickleForm;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.TensorData;

/** The pickled forms of PyTorch's tensors, parameters and storages. */
public final class TorchForms {
  private static final GlobalName REBUILD_TENSOR =
      new GlobalName("torch._utils", "_rebuild_tensor_v2");
  private static final GlobalName REBUILD_PARAMETER =
      new GlobalName("torch._utils", "_rebuild_parameter");

  private TorchForms() {}

  /** Whether a parameter requires gradients. */
  public enum Gradient {
    /** It is trained. */
    WANTED,
    /** It is not trained. */
    NONE
  }

  /** Returns a {@code torch.nn.Parameter}; a {@link TensorSource} on its own is a plain tensor. */
  public static PickleForm parameter(TensorSource tensor, Gradient gradient) {
    return new PickleForm.Call(
        REBUILD_PARAMETER,
        List.of(tensor, gradient == Gradient.WANTED, PickleForm.emptyOrderedDict()));
  }

  /** Returns a contiguous tensor over the whole of {@code storage}. */
  static PickleForm tensor(TensorSource source, PickleForm storage) {
    long[] shape = source.shape();
    return new PickleForm.Call(
        REBUILD_TENSOR,
        List.of(
            storage,
            0L,
            longs(shape),
            longs(TensorData.contiguousStrides(shape)),
            false,
            PickleForm.emptyOrderedDict()));
  }

  /** Returns the persistent id of a storage, with the additional items of older files, if any. */
  static PickleForm.PersistentId storage(TensorSource source, String key, Object... further) {
    List<Object> id = new ArrayList<>();
    id.add("storage");
    id.add(new GlobalName("torch", StorageType.className(source.dtype())));
    id.add(key);
    id.add("cpu");
    id.add(numel(source));
    id.addAll(Arrays.asList(further));
    return new PickleForm.PersistentId(new Tuple(id));
  }

  static long numel(TensorSource source) {
    return byteSize(source) / source.dtype().byteSize();
  }

  static long byteSize(TensorSource source) {
    try {
      long bytes = source.dtype().byteSize();
      for (long s : source.shape()) {
        bytes = Math.multiplyExact(bytes, s);
      }
      return bytes;
    } catch (ArithmeticException e) {
      throw new RdmException(
          "a tensor of sizes %s is too large for a file".formatted(Arrays.toString(source.shape())),
          e);
    }
  }

  private static Tuple longs(long[] values) {
    return new Tuple(new ArrayList<>(Arrays.stream(values).boxed().toList()));
  }
}
