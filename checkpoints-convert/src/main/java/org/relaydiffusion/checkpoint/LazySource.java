// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.io.IOException;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.DType;

/** A stored tensor whose data and checksum are only read when it is written. */
record LazySource(StoredTensor tensor) implements TensorSource {
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
    TensorSource source = TensorSource.of(tensor.raw());
    tensor.reading(
        (MappedFile.Reader<Boolean, IOException>)
            () -> {
              source.forEachChunk(consumer);
              return true;
            });
  }
}
