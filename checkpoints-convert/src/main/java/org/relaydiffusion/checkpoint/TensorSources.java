// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;

/** Tensors to be written to a file, from various sources. */
public final class TensorSources {
  private TensorSources() {}

  /**
   * Returns a live tensor, which must stay open and is read when it is written, including later
   * modifications. A tensor that is on another device or non-contiguous is copied to the CPU for
   * the duration of the write.
   *
   * @param tensor of any dtype and strides, on any device; remains owned by the caller
   */
  public static TensorSource of(Tensor tensor) {
    return new Live(tensor);
  }

  /**
   * Returns bytes as a tensor uint8 [N], such as the state of a random number generator.
   *
   * @param bytes copied
   */
  public static TensorSource of(byte[] bytes) {
    return dense(DType.UINT8, bytes.clone(), bytes.length);
  }

  /**
   * Returns a tensor in an open checkpoint, which must stay open; its checksum is verified when it
   * is read.
   */
  public static TensorSource of(StoredTensor tensor) {
    return new LazySource(tensor);
  }

  /** Returns a float32 scalar. */
  static TensorSource scalar(float value) {
    byte[] bytes = new byte[Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(value);
    return dense(DType.FLOAT32, bytes);
  }

  private static TensorSource dense(DType dtype, byte[] bytes, long... shape) {
    return TensorSource.of(TensorData.contiguous(dtype, shape, MemorySegment.ofArray(bytes)));
  }

  private record Live(Tensor tensor) implements TensorSource {
    @Override
    public DType dtype() {
      return tensor.dtype();
    }

    @Override
    public long[] shape() {
      return tensor.shape();
    }

    @Override
    public void forEachChunk(ChunkConsumer consumer) throws IOException {
      try (GradMode _ = GradMode.noGrad();
          TensorScope _ = TensorScope.open()) {
        Tensor here = tensor.to(Device.CPU).contiguous();
        TensorSource.of(TensorData.contiguous(here.dtype(), here.shape(), here.memory()))
            .forEachChunk(consumer);
      }
    }
  }
}
