package org.relaydiffusion.checkpoint;

import java.util.function.Supplier;
import org.relaydiffusion.checkpoint.archive.TensorRef;
import org.relaydiffusion.io.MappedFile;
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
  private final MappedFile file;
  private final Supplier<TensorData> raw;
  private final Supplier<TensorData> data;

  StoredTensor(TensorRef tensor) {
    this(tensor.dtype(), tensor.shape(), tensor.file(), tensor::raw, tensor::aligned);
  }

  /**
   * A tensor of a safetensors file.
   *
   * @param file that it lies in
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

  /** As {@link MappedFile#reading}, for whoever reads {@link #raw()}. */
  <T, E extends Exception> T reading(MappedFile.Reader<T, E> reader) throws E {
    return file.reading(reader);
  }

  /**
   * The tensor at an address aligned to its element size, as LibTorch needs it: in the file where
   * possible, else in a copy that belongs to the checkpoint (the storages inside {@code .pkl} files
   * lie anywhere).
   *
   * @throws org.relaydiffusion.FileException when its checksum is not the one written, or another
   *     program has cut the file since it was opened: LibTorch would end the process on reading it
   */
  public TensorData data() {
    return data.get();
  }
}
