// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.npy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.StoredZipWriter.Sink;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** Writes one array of an {@link NpzWriter}, from its first row to its last, in blocks of rows. */
public final class NpyWriter {
  private static final long CHUNK = 1 << 20;

  private final String name;
  private final DType dtype;
  private final long[] shape;
  private final Sink sink;
  private long rows;

  NpyWriter(String name, DType dtype, long[] shape, Sink sink) {
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.sink = sink;
  }

  /**
   * Writes the next rows.
   *
   * @param block [n, ...] on any device, of a dtype that is converted to the array's; n may be 0
   * @throws RdmException if the shape of its rows is different, or there are too many
   * @throws IOException if it cannot be written
   */
  public void write(Tensor block) throws IOException {
    long[] sizes = block.shape();
    boolean fits = sizes.length == shape.length && sizes[0] <= shape[0] - rows;
    for (int i = 1; fits && i < shape.length; i++) {
      fits = sizes[i] == shape[i];
    }
    if (!fits) {
      throw new RdmException(
          "array '%s' of shape %s expects %s more rows, but received %s"
              .formatted(name, Arrays.toString(shape), shape[0] - rows, block.describe()));
    }
    try (TensorScope _ = TensorScope.open()) {
      Tensor plain = block.to(Device.CPU).to(dtype).contiguous();
      if (plain.numel() > 0) {
        write(plain.memory());
      }
    }
    rows += sizes[0];
  }

  private void write(MemorySegment memory) throws IOException {
    // A buffer over the whole tensor would be limited to 2 GiB.
    for (long at = 0; at < memory.byteSize(); at += CHUNK) {
      sink.accept(memory.asSlice(at, Math.min(CHUNK, memory.byteSize() - at)).asByteBuffer());
    }
  }

  /** Rejects an array that lacks rows. */
  void checkWhole() {
    if (rows != shape[0]) {
      throw new RdmException(
          "array '%s' of shape %s has received only %s rows"
              .formatted(name, Arrays.toString(shape), rows));
    }
  }
}
