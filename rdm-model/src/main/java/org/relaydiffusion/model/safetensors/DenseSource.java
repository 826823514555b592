// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.safetensors;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

/** The bytes of a contiguous tensor, where they lie. */
record DenseSource(TensorData data) implements TensorSource {
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
    long bytes = data.byteSize();
    // Handed on where they lie, bytes of a mapped file that was cut would end the process, or be an
    // error of the file that they are written to.
    MemorySegment copy =
        data.memory().isMapped()
            ? MemorySegment.ofArray(new byte[(int) Math.min(CHUNK_BYTES, bytes)])
            : null;
    for (long at = 0; at < bytes; at += CHUNK_BYTES) {
      MemorySegment chunk = data.memory().asSlice(at, Math.min(CHUNK_BYTES, bytes - at));
      consumer.accept(copy == null ? chunk : copy.asSlice(0, chunk.byteSize()).copyFrom(chunk));
    }
  }
}
