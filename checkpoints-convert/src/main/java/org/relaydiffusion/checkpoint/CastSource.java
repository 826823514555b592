// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.DType;

/**
 * A tensor converted to another floating-point dtype, rounded to nearest even, as in PyTorch
 * (float64 by way of float32). A finite number that overflows the new dtype is an error, not an
 * infinity.
 *
 * @param file for messages
 * @param name of the tensor, for messages
 * @param source the tensor
 * @param dtype the new dtype
 */
record CastSource(Path file, String name, TensorSource source, DType dtype)
    implements TensorSource {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Returns the source itself if it is not a floating-point tensor, or already has the dtype. */
  static TensorSource of(Path file, String name, TensorSource source, DType dtype) {
    return source.dtype() == dtype || !source.dtype().isFloatingPoint()
        ? source
        : new CastSource(file, name, source, dtype);
  }

  @Override
  public long[] shape() {
    return source.shape();
  }

  @Override
  public void forEachChunk(ChunkConsumer consumer) throws IOException {
    // An element grows to at most four times its size: output chunks stay within CHUNK_BYTES.
    int from = source.dtype().byteSize();
    int to = dtype.byteSize();
    int most = CHUNK_BYTES / Math.max(from, to);
    MemorySegment out = MemorySegment.ofArray(new byte[most * to]);
    source.forEachChunk(chunk -> {
      long count = chunk.byteSize() / from;
      for (long start = 0; start < count; start += most) {
        long n = Math.min(most, count - start);
        for (long i = 0; i < n; i++) {
          write(out, i, read(chunk, start + i));
        }
        consumer.accept(out.asSlice(0, n * to));
      }
    });
  }

  private double read(MemorySegment chunk, long i) {
    return switch (source.dtype()) {
      case FLOAT16 -> Float.float16ToFloat(chunk.get(SHORT, i * 2));
      case BFLOAT16 -> Float.intBitsToFloat(chunk.get(SHORT, i * 2) << 16);
      case FLOAT32 -> chunk.get(FLOAT, i * 4);
      case FLOAT64 -> chunk.get(DOUBLE, i * 8);
      default -> throw new IllegalStateException("not a floating-point type");
    };
  }

  private void write(MemorySegment out, long i, double value) {
    float single = (float) value;
    boolean finite;
    switch (dtype) {
      case FLOAT16 -> {
        short half = Float.floatToFloat16(single);
        out.set(SHORT, i * 2, half);
        finite = Float.isFinite(Float.float16ToFloat(half));
      }
      case BFLOAT16 -> {
        short brain = toBfloat16(single);
        out.set(SHORT, i * 2, brain);
        finite = Float.isFinite(Float.intBitsToFloat(brain << 16));
      }
      case FLOAT32 -> {
        out.set(FLOAT, i * 4, single);
        finite = Float.isFinite(single);
      }
      case FLOAT64 -> {
        out.set(DOUBLE, i * 8, value);
        finite = Double.isFinite(value);
      }
      default -> throw new IllegalStateException("not a floating-point type");
    }
    if (!finite && Double.isFinite(value)) {
      throw new FileException(
          file,
          "tensor '%s' contains %s, which is too large for %s"
              .formatted(Printable.of(name), value, dtype.torchName()));
    }
  }

  /** Returns the upper half of the bits, rounded to nearest even; NaN stays NaN. */
  private static short toBfloat16(float value) {
    if (Float.isNaN(value)) {
      return 0x7fc0;
    }
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
  }
}
