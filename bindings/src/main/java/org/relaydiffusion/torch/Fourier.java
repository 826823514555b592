package org.relaydiffusion.torch;

/**
 * Discrete Fourier transforms ({@code torch.fft}). A complex number is a pair in a last axis of
 * two, real part first.
 */
public final class Fourier {
  private static final Op FFT = Op.of("aten::fft_fft");
  private static final Op IRFFT = Op.of("aten::fft_irfft");
  private static final Op VIEW_AS_REAL = Op.of("aten::view_as_real");
  private static final Op VIEW_AS_COMPLEX = Op.of("aten::view_as_complex");

  private Fourier() {}

  /**
   * The transform along the last axis: {@code X_k = sum_n x_n e^(-2 pi i k n / N)}.
   *
   * @param x [..., N], real
   * @return [..., N, 2]
   */
  public static Tensor fft(Tensor x) {
    try (Tensor complex = FFT.args().t(x).none().i(-1).none().tensor()) {
      return VIEW_AS_REAL.args().t(complex).tensor();
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
    try (Tensor complex = VIEW_AS_COMPLEX.args().t(half).tensor()) {
      return IRFFT.args().t(complex).someInt(n).i(-1).none().tensor();
    }
  }
}
