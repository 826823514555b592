// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * SiLU and the dropout after it, on the CPU: in a third of the time of LibTorch's two, which draw
 * 64 bits an element on one thread, and without a mask that is kept for the way back. Elements to
 * be dropped are first moved so far down that SiLU and its slope are zero there.
 *
 * <p>The probability is the nearest multiple of 1 / 65536 below 1, and the scale fits it exactly.
 */
final class MaskedSilu {
  private static final int CHANCES = 1 << 16;

  /** Beyond it, e^-x is infinite in float32 and in bfloat16. */
  private static final double FAR_DOWN = -1e30;

  private MaskedSilu() {}

  /**
   * Draws from the default generator.
   *
   * @param x float32 or bfloat16, dense
   * @param p the probability that an element becomes 0
   */
  static Tensor apply(Tensor x, double p) {
    int dropped = (int) Math.min(Math.round(p * CHANCES), CHANCES - 1);
    double scale = (double) CHANCES / (CHANCES - dropped);
    try (TensorScope scope = TensorScope.open()) {
      Tensor mask = Functional.dropoutMask(x, dropped);
      Tensor moved = Pointwise.addScaled(x, mask, FAR_DOWN);
      mask.close();
      return scope.keep(Pointwise.mulInPlace(moved.silu(), Torch.scalar(scale)));
    }
  }
}
