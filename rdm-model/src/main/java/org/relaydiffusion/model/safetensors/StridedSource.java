// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.safetensors;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

/** The elements of a tensor with any strides, gathered into row-major pieces. */
record StridedSource(TensorData data) implements TensorSource {
  @Override
  public DType dtype() {
    return data.dtype();
  }

  @Override
  public long[] shape() {
    return data.shape();
  }

  @Override
  public void forEachChunk(ChunkConsumer consumer) throws IOException {
    if (data.numel() == 0) {
      return;
    }
    long[] shape = data.shape();
    long[] strides = data.strides();
    int size = data.dtype().byteSize();
    MemorySegment from = data.memory();
    MemorySegment chunk =
        MemorySegment.ofArray(new byte[(int) Math.min(CHUNK_BYTES, data.byteSize())]);
    long[] index = new long[shape.length];
    long filled = 0;
    long offset = 0;
    boolean more = true;
    while (more) {
      MemorySegment.copy(from, offset * size, chunk, filled, size);
      filled += size;
      if (filled == chunk.byteSize()) {
        consumer.accept(chunk);
        filled = 0;
      }
      // The index of the next element, as an odometer counts; offset follows it.
      more = false;
      for (int axis = shape.length - 1; axis >= 0 && !more; axis--) {
        offset += strides[axis];
        if (++index[axis] < shape[axis]) {
          more = true;
        } else {
          offset -= strides[axis] * shape[axis];
          index[axis] = 0;
        }
      }
    }
    if (filled > 0) {
      consumer.accept(chunk.asSlice(0, filled));
    }
  }
}
