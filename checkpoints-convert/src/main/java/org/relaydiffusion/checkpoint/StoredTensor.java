// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.function.Supplier;
import org.relaydiffusion.checkpoint.archive.TensorRef;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

/**
 * A tensor in an open checkpoint. Its dtype and shape are known; its data is only read on access.
 * Valid while the checkpoint is open. Not thread-safe.
 */
public final class StoredTensor {
  private final DType dtype;
  private final long[] shape;
  private final MappedFile file;
  private final Supplier<TensorData> raw;
  private final Supplier<TensorData> data;

  StoredTensor(TensorRef tensor) {
    this(tensor.dtype(), tensor.shape(), tensor.file(), tensor::raw, tensor::aligned);
  }

  /**
   * Creates a tensor of a safetensors file.
   *
   * @param file that contains it
   */
  StoredTensor(TensorData tensor, MappedFile file) {
    this(
        tensor.dtype(),
        tensor.shape(),
        file,
        () -> tensor,
        () -> {
          file.checkWhole();
          return tensor;
        });
  }

  private StoredTensor(
      DType dtype,
      long[] shape,
      MappedFile file,
      Supplier<TensorData> raw,
      Supplier<TensorData> data) {
    this.dtype = dtype;
    this.shape = shape;
    this.file = file;
    this.raw = raw;
    this.data = data;
  }

  /** Returns the dtype. */
  public DType dtype() {
    return dtype;
  }

  /** Returns the shape, outermost axis first; empty for a scalar. */
  public long[] shape() {
    return shape.clone();
  }

  /** Returns the number of elements. */
  public long numel() {
    long n = 1;
    for (long s : shape) {
      n *= s;
    }
    return n;
  }

  /**
   * Returns the tensor in the mapped file, without a copy and possibly unaligned, for streaming in
   * Java.
   *
   * @throws org.relaydiffusion.FileException if its checksum is wrong
   */
  public TensorData raw() {
    return raw.get();
  }

  /** Wraps accesses to {@link #raw()}, see {@link MappedFile#reading}. */
  <T, E extends Exception> T reading(MappedFile.Reader<T, E> reader) throws E {
    return file.reading(reader);
  }

  /**
   * Returns the tensor aligned to its element size, as LibTorch requires: in the mapped file if
   * possible, otherwise in a copy owned by the checkpoint (storages inside {@code .pkl} files are
   * not aligned).
   *
   * @throws org.relaydiffusion.FileException if its checksum is wrong, or another program has
   *     truncated the file since it was opened, in which case LibTorch would crash on reading it
   */
  public TensorData data() {
    return data.get();
  }
}
