// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

/**
 * Discrete Fourier transforms ({@code torch.fft}). A complex number is a pair in a last axis of
 * two, real part first.
 */
public final class Fourier {
  private static final Operator FFT =
      Operator.of(
          "aten::fft_fft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor");
  private static final Operator IRFFT =
      Operator.of(
          "aten::fft_irfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor");
  private static final Operator VIEW_AS_REAL =
      Operator.of("aten::view_as_real(Tensor(a) self) -> Tensor(a)");
  private static final Operator VIEW_AS_COMPLEX =
      Operator.of("aten::view_as_complex(Tensor(a) self) -> Tensor(a)");

  private Fourier() {}

  /**
   * The transform along the last axis: {@code X_k = sum_n x_n e^(-2 pi i k n / N)}.
   *
   * @param x [..., N], real
   * @return [..., N, 2]
   */
  public static Tensor fft(Tensor x) {
    try (Tensor complex = FFT.apply(x)) {
      return VIEW_AS_REAL.apply(complex);
    }
  }

  /**
   * The inverse of {@link #fft} for real results, whose transform is determined by its first half.
   *
   * @param half [..., N / 2 + 1, 2]; the last axis is contiguous
   * @param n N
   * @return [..., N]
   */
  public static Tensor irfft(Tensor half, int n) {
    try (Tensor complex = VIEW_AS_COMPLEX.apply(half)) {
      return IRFFT.call().arg(complex).arg(n).tensor();
    }
  }
}
