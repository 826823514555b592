package org.relaydiffusion.model.safetensors;

import java.io.IOException;
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
    for (long at = 0; at < bytes; at += CHUNK_BYTES) {
      consumer.accept(data.memory().asSlice(at, Math.min(CHUNK_BYTES, bytes - at)));
    }
  }
}
