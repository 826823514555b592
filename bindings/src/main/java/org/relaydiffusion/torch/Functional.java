package org.relaydiffusion.torch;

import org.jspecify.annotations.Nullable;

/** The operators of networks: convolution, normalisation, attention, resampling. */
public final class Functional {
  private static final Op CONV2D = Op.of("aten::conv2d");
  private static final Op CONV_TRANSPOSE2D = Op.of("aten::conv_transpose2d.input");
  private static final Op LINEAR = Op.of("aten::linear");
  private static final Op GROUP_NORM = Op.of("aten::group_norm");
  private static final Op SOFTMAX = Op.of("aten::softmax.int");
  private static final Op ATTENTION = Op.of("aten::scaled_dot_product_attention");
  private static final Op DROPOUT = Op.of("aten::dropout");
  private static final Op NEAREST = Op.of("aten::upsample_nearest2d");

  private static final Op AVG_POOL2D = Op.of("aten::avg_pool2d");

  private Functional() {}

  /**
   * Convolution (cross-correlation) of [N, C, H, W] with a weight [O, C / groups, kh, kw].
   *
   * @param bias [O], or none
   * @param stride both axes
   * @param padding zeros on every side
   */
  public static Tensor conv2d(
      Tensor x, Tensor weight, @Nullable Tensor bias, int stride, int padding, int groups) {
    return CONV2D
        .args()
        .t(x)
        .t(weight)
        .optional(bias)
        .ints(stride, stride)
        .ints(padding, padding)
        .ints(1, 1)
        .i(groups)
        .tensor();
  }

  /** Transposed convolution of [N, C, H, W] with a weight [C, O / groups, kh, kw]. */
  public static Tensor convTranspose2d(
      Tensor x, Tensor weight, @Nullable Tensor bias, int stride, int padding, int groups) {
    return CONV_TRANSPOSE2D
        .args()
        .t(x)
        .t(weight)
        .optional(bias)
        .ints(stride, stride)
        .ints(padding, padding)
        .ints(0, 0)
        .i(groups)
        .ints(1, 1)
        .tensor();
  }

  /** {@code x weight^T + bias} for x [..., I] and weight [O, I]. */
  public static Tensor linear(Tensor x, Tensor weight, @Nullable Tensor bias) {
    return LINEAR.args().t(x).t(weight).optional(bias).tensor();
  }

  /**
   * Normalises each image's groups of channels to mean 0 and variance 1, then scales and shifts.
   */
  public static Tensor groupNorm(
      Tensor x, int groups, @Nullable Tensor weight, @Nullable Tensor bias, double eps) {
    return GROUP_NORM.args().t(x).i(groups).optional(weight).optional(bias).d(eps).b(true).tensor();
  }

  /** Softmax along one axis. */
  public static Tensor softmax(Tensor x, int dim) {
    return SOFTMAX.args().t(x).i(dim).none().tensor();
  }

  /**
   * softmax(q k^T / sqrt(E)) v for [N, heads, L, E], in a fused kernel where there is one.
   *
   * @return [N, heads, L, E]
   */
  public static Tensor attention(Tensor q, Tensor k, Tensor v) {
    return ATTENTION.args().t(q).t(k).t(v).none().d(0).b(false).none().b(false).tensor();
  }

  /** Zeroes elements with probability p and scales the rest; draws from the default generator. */
  public static Tensor dropout(Tensor x, double p) {
    return DROPOUT.args().t(x).d(p).b(true).tensor();
  }

  /** Each pixel of [N, C, H, W] repeated to the size [N, C, height, width]. */
  public static Tensor upsampleNearest(Tensor x, long height, long width) {
    return NEAREST.args().t(x).ints(height, width).none().none().tensor();
  }

  /**
   * The mean of each {@code size} x {@code size} square of [N, C, H, W]; squares do not overlap.
   */
  public static Tensor averagePool(Tensor x, int size) {
    return AVG_POOL2D
        .args()
        .t(x)
        .ints(size, size)
        .ints(size, size)
        .ints(0, 0)
        .b(false)
        .b(true)
        .none()
        .tensor();
  }
}
