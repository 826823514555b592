// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.AccumulateAbi;

/**
 * {@code a += b} as a backward pass adds to a gradient, which costs little more than half of the
 * foreach form that the C ABI carries otherwise. Each thread has a variable of its own, whose
 * gradient a is meanwhile.
 */
final class InPlaceSum {
  private static final ThreadLocal<InPlaceSum> CURRENT = ThreadLocal.withInitial(InPlaceSum::new);

  /** What {@link #works} has found, which does not change; null before. */
  private static volatile @Nullable Boolean works;

  private final Tensor variable = Constants.kept(Torch.scalar(0L), this);

  private InPlaceSum() {}

  /**
   * Adds, where no gradient is recorded.
   *
   * @return whether it was done: not for tensors that are not dense and on the CPU, by a LibTorch
   *     that adds to gradients otherwise, and where LibTorch refuses; then a is as before
   */
  static boolean add(Tensor a, Tensor b) {
    return a != null
        && b != null
        && a.isDenseOnCpu()
        && b.isDenseOnCpu()
        && works()
        && CURRENT.get().addUnchecked(a, b);
  }

  private boolean addUnchecked(Tensor a, Tensor b) {
    long place = variable.beginUse();
    long x = a.beginUse();
    try {
      long y = b.beginUse();
      try {
        return AccumulateAbi.addInPlace(place, x, y);
      } finally {
        b.endUse();
      }
    } finally {
      a.endUse();
      variable.endUse();
    }
  }

  /**
   * Whether this LibTorch has the operator as it is known, and it adds in place. Not asked by a
   * class initializer, which could fail but once.
   */
  private static boolean works() {
    Boolean known = works;
    if (known == null) {
      known = AccumulateAbi.isKnown() && addsInPlace();
      works = known;
    }
    return known;
  }

  private static boolean addsInPlace() {
    try (Tensor a = Torch.tensor(new float[] {1, 2}, 2);
        Tensor b = Torch.tensor(new float[] {10, 20}, 2)) {
      return CURRENT.get().addUnchecked(a, b) && a.toFloats()[1] == 22;
    }
  }
}
