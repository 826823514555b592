// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.philox;

import java.lang.foreign.ValueLayout;

/**
 * The kernels of {@code normal_}, {@code uniform_} and {@code random_} on CUDA, in the arithmetic
 * of cuRAND's device functions.
 */
public final class Kernels {
  /** Standard normal float32: {@code curand_normal4}. */
  public static final Kernel NORMAL_32 = new Normal32();

  /** Standard normal float64: {@code curand_normal2_double}. */
  public static final Kernel NORMAL_64 = new Normal64();

  /** Uniform float32 in (0, 1]: {@code curand_uniform4}. */
  public static final Kernel UNIFORM_32 = new Uniform32();

  /** Uniform float64 in (0, 1]: {@code curand_uniform2_double}. */
  public static final Kernel UNIFORM_64 = new Uniform64();

  /** From this range on, an integer is made of two words. */
  private static final long WIDE_RANGE = 1L << 28;

  private static final int HIGH = 32;

  private Kernels() {}

  /** Uniform int64 from [0, range): a remainder, as LibTorch 2.10 takes it. */
  public static Kernel integers(long range) {
    return range < WIDE_RANGE ? new Narrow(range) : new Wide(range);
  }

  /** Non-negative int64: {@code random_()}. */
  public static Kernel integers() {
    return new Wide(0);
  }

  private record Normal32() implements Kernel {
    private static final float TWO_PI = 6.2831855f;

    @Override
    public int elementsPerCall() {
      return 4;
    }

    @Override
    public int elementBytes() {
      return Float.BYTES;
    }

    @Override
    public Worker worker() {
      Buffers b = new Buffers();
      return (words, threads, k, out, first) -> {
        if (k % 2 == 0) {
          Units.single(words.word(k), 1, b.unit, threads);
          Units.single(words.word(k + 1), TWO_PI, b.angle, threads);
          // The angle is in radians, rounded to float32.
          for (int i = 0; i < threads; i++) {
            b.angle[i] *= 1 / Math.PI;
          }
          b.radius(threads);
        }
        b.normals(k, threads);
        for (int i = 0; i < threads; i++) {
          b.singles[i] = (float) b.result[i];
        }
        b.writeSingles(threads, out, first);
      };
    }
  }

  private record Normal64() implements Kernel {
    @Override
    public int elementsPerCall() {
      return 2;
    }

    @Override
    public int elementBytes() {
      return Double.BYTES;
    }

    @Override
    public Worker worker() {
      Buffers b = new Buffers();
      return (words, threads, k, out, first) -> {
        if (k == 0) {
          Units.twice(words.word(0), words.word(1), 1, b.unit, threads);
          // The angle is in units of pi.
          Units.twice(words.word(2), words.word(3), 2, b.angle, threads);
          b.radius(threads);
        }
        b.normals(k, threads);
        b.writeDoubles(threads, out, first);
      };
    }
  }

  private record Uniform32() implements Kernel {
    @Override
    public int elementsPerCall() {
      return 4;
    }

    @Override
    public int elementBytes() {
      return Float.BYTES;
    }

    @Override
    public Worker worker() {
      Buffers b = new Buffers();
      return (words, threads, k, out, first) -> {
        Units.single(words.word(k), 1, b.unit, threads);
        for (int i = 0; i < threads; i++) {
          b.singles[i] = (float) b.unit[i];
        }
        b.writeSingles(threads, out, first);
      };
    }
  }

  private record Uniform64() implements Kernel {
    @Override
    public int elementsPerCall() {
      return 2;
    }

    @Override
    public int elementBytes() {
      return Double.BYTES;
    }

    @Override
    public Worker worker() {
      Buffers b = new Buffers();
      return (words, threads, k, out, first) -> {
        Units.twice(words.word(2 * k), words.word(2 * k + 1), 1, b.result, threads);
        b.writeDoubles(threads, out, first);
      };
    }
  }

  private record Narrow(long range) implements Kernel {
    @Override
    public int elementsPerCall() {
      return 4;
    }

    @Override
    public int elementBytes() {
      return Long.BYTES;
    }

    @Override
    public Worker worker() {
      return (words, threads, k, out, first) -> {
        long[] word = words.word(k);
        for (int i = 0; i < threads; i++) {
          out.setAtIndex(ValueLayout.JAVA_LONG, first + i, word[i] % range);
        }
      };
    }
  }

  /** A range of 0 is that of all non-negative numbers. */
  private record Wide(long range) implements Kernel {
    @Override
    public int elementsPerCall() {
      return 2;
    }

    @Override
    public int elementBytes() {
      return Long.BYTES;
    }

    @Override
    public Worker worker() {
      return (words, threads, k, out, first) -> {
        long[] high = words.word(2 * k);
        long[] low = words.word(2 * k + 1);
        for (int i = 0; i < threads; i++) {
          long both = (high[i] << HIGH) | low[i];
          long value = range == 0 ? both & Long.MAX_VALUE : Long.remainderUnsigned(both, range);
          out.setAtIndex(ValueLayout.JAVA_LONG, first + i, value);
        }
      };
    }
  }
}
