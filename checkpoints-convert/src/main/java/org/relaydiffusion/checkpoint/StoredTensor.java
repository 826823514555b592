package org.relaydiffusion.checkpoint;

import java.util.function.Supplier;
import org.relaydiffusion.checkpoint.archive.TensorRef;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

/**
 * A tensor in an open checkpoint. Its type and shape are known; its bytes are read only when they
 * are asked for. Valid for as long as the checkpoint is open; not for use by several threads at
 * once.
 */
public final class StoredTensor {
  private final DType dtype;
  private final long[] shape;
  private final Supplier<TensorData> raw;
  private final Supplier<TensorData> data;

  StoredTensor(TensorRef tensor) {
    this(tensor.dtype(), tensor.shape(), tensor::raw, tensor::aligned);
  }

  StoredTensor(TensorData tensor) {
    this(tensor.dtype(), tensor.shape(), () -> tensor, () -> tensor);
  }

  private StoredTensor(
      DType dtype, long[] shape, Supplier<TensorData> raw, Supplier<TensorData> data) {
    this.dtype = dtype;
    this.shape = shape;
    this.raw = raw;
    this.data = data;
  }

  /** The element type. */
  public DType dtype() {
    return dtype;
  }

  /** The sizes, outermost first; empty for a scalar. */
  public long[] shape() {
    return shape.clone();
  }

  /** The number of elements. */
  public long numel() {
    long n = 1;
    for (long s : shape) {
      n *= s;
    }
    return n;
  }

  /**
   * The tensor where it lies in the file, at any address: for streaming through Java. Nothing is
   * copied, however large it is.
   *
   * @throws org.relaydiffusion.FileException when its checksum is not the one written
   */
  public TensorData raw() {
    return raw.get();
  }

  /**
   * The tensor at an address aligned to its element size, as LibTorch needs it: in the file where
   * possible, else in a copy that belongs to the checkpoint (the storages inside {@code .pkl} files
   * lie anywhere).
   *
   * @throws org.relaydiffusion.FileException when its checksum is not the one written
   */
  public TensorData data() {
    return data.get();
  }
}
