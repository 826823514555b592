// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.philox;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The intermediate values of a worker, one per thread of the launch. */
final class Buffers {
  final double[] unit = new double[PhiloxWords.MOST];
  final double[] angle = new double[PhiloxWords.MOST];
  final double[] radius = new double[PhiloxWords.MOST];
  final double[] result = new double[PhiloxWords.MOST];
  final float[] singles = new float[PhiloxWords.MOST];

  private final BoxMuller boxMuller = new BoxMuller();

  /** Computes {@code radius} from {@code unit}. */
  void radius(int threads) {
    boxMuller.radius(unit, radius, threads);
  }

  /** Computes the first or second number of a Box-Muller pair, from {@code radius}. */
  void normals(int k, int threads) {
    if (k % 2 == 0) {
      BoxMuller.sines(angle, 0, radius, result, threads);
    } else {
      BoxMuller.cosines(angle, radius, result, threads);
    }
  }

  /** Copies {@code singles} into memory. */
  void writeSingles(int threads, MemorySegment out, long first) {
    MemorySegment.copy(singles, 0, out, ValueLayout.JAVA_FLOAT, first * Float.BYTES, threads);
  }

  /** Copies {@code result} into memory. */
  void writeDoubles(int threads, MemorySegment out, long first) {
    MemorySegment.copy(result, 0, out, ValueLayout.JAVA_DOUBLE, first * Double.BYTES, threads);
  }
}
