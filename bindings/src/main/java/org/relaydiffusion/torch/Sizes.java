// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.relaydiffusion.torch.ffi.Scratch;

/** What sizes and strides may be, before LibTorch sees them. */
final class Sizes {
  private Sizes() {}

  /** Refuses negative sizes and more axes than can be passed. */
  static void check(long... sizes) {
    if (sizes.length > Scratch.MAX_RANK) {
      throw new TorchException(
          "a tensor has at most %s axes, not %s".formatted(Scratch.MAX_RANK, sizes.length));
    }
    for (long s : sizes) {
      if (s < 0) {
        throw new TorchException("a size of %s is negative".formatted(s));
      }
    }
  }

  /** Refuses strides that do not belong to the sizes, or are negative. */
  static void checkStrides(long[] sizes, long[] strides) {
    if (strides.length != sizes.length || Arrays.stream(strides).anyMatch(s -> s < 0)) {
      throw new TorchException(
          "sizes %s need as many strides, none negative, not %s"
              .formatted(Arrays.toString(sizes), Arrays.toString(strides)));
    }
  }

  /** The number of elements. */
  static long numel(long... sizes) {
    try {
      long n = 1;
      for (long s : sizes) {
        n = Math.multiplyExact(n, s);
      }
      return n;
    } catch (ArithmeticException e) {
      throw new TorchException(
          "sizes %s are larger than any memory".formatted(Arrays.toString(sizes)));
    }
  }

  /** Whether the elements fill their memory, each once, in whatever order of the axes. */
  static boolean areDense(long[] sizes, long[] strides) {
    int[] inward =
        IntStream.range(0, sizes.length)
            .filter(i -> sizes[i] != 1)
            .boxed()
            .sorted(Comparator.comparingLong(i -> strides[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    long step = 1;
    for (int axis : inward) {
      if (strides[axis] != step) {
        return false;
      }
      step *= sizes[axis];
    }
    return true;
  }
}
