package org.relaydiffusion.torch;

import org.jspecify.annotations.Nullable;

/** The operators of networks: convolution, normalisation, attention, resampling. */
public final class Functional {
  private static final Op CONV2D = Op.of("aten::conv2d");
  private static final Op CONV_TRANSPOSE2D = Op.of("aten::conv_transpose2d.input");
  private static final Op LINEAR = Op.of("aten::linear");
  private static final Op GROUP_NORM = Op.of("aten::group_norm");
  private static final Op BATCH_NORM = Op.of("aten::batch_norm");
  private static final Op SOFTMAX = Op.of("aten::softmax.int");
  private static final Op ATTENTION = Op.of("aten::scaled_dot_product_attention");
  private static final Op DROPOUT = Op.of("aten::dropout");
  private static final Op RANDOM_ = Op.of("aten::random_.from");
  private static final Op VIEW_DTYPE = Op.of("aten::view.dtype");
  private static final Op AS_STRIDED = Op.of("aten::as_strided");
  private static final Op LT_ = Op.of("aten::lt_.Tensor");
  private static final Op NEAREST = Op.of("aten::upsample_nearest2d");

  private static final Op AVG_POOL2D = Op.of("aten::avg_pool2d");
  private static final Op MAX_POOL2D = Op.of("aten::max_pool2d");
  private static final Op REFLECTION_PAD2D = Op.of("aten::reflection_pad2d");
  private static final Op AFFINE_GRID = Op.of("aten::affine_grid_generator");
  private static final Op GRID_SAMPLER_2D = Op.of("aten::grid_sampler_2d");

  // As the schema of batch_norm wants one; evaluation does not use it.
  private static final double MOMENTUM = 0.1;

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
    return conv2d(x, weight, bias, stride, new Padding2d(padding, padding), groups);
  }

  /** As above, with zeros above and below, and left and right. */
  public static Tensor conv2d(
      Tensor x, Tensor weight, @Nullable Tensor bias, int stride, Padding2d padding, int groups) {
    return conv2d(x, weight, bias, new Stride2d(stride, stride), padding, groups);
  }

  /** As above, with a stride for each axis. */
  public static Tensor conv2d(
      Tensor x,
      Tensor weight,
      @Nullable Tensor bias,
      Stride2d stride,
      Padding2d padding,
      int groups) {
    return CONV2D
        .args()
        .t(x)
        .t(weight)
        .optional(bias)
        .ints(stride.height(), stride.width())
        .ints(padding.height(), padding.width())
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

  /**
   * Batch normalisation as it is evaluated: {@code (x - mean) / sqrt(variance + eps)}, scaled and
   * shifted, channel by channel of [N, C, H, W].
   *
   * @param mean [C]
   * @param variance [C]
   * @param weight the scale [C], or none for 1
   * @param bias the shift [C], or none for 0
   */
  public static Tensor batchNorm(
      Tensor x,
      Tensor mean,
      Tensor variance,
      @Nullable Tensor weight,
      @Nullable Tensor bias,
      double eps) {
    return BATCH_NORM
        .args()
        .t(x)
        .optional(weight)
        .optional(bias)
        .optional(mean)
        .optional(variance)
        .b(false)
        .d(MOMENTUM)
        .d(eps)
        .b(true)
        .tensor();
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

  /**
   * 1 with probability {@code chances / 65536}, else 0, in the type, shape and order of a dense
   * tensor on the CPU. Where {@link #dropout} draws 64 bits an element from the default generator,
   * this draws 16.
   *
   * @throws TorchException when chances is not from 0 to 65535, or the tensor not as said
   */
  public static Tensor dropoutMask(Tensor like, int chances) {
    long[] shape = like.shape();
    long[] strides = like.strides();
    if (chances < 0
        || chances > 0xffff
        || like.device().type() != Device.Type.CPU
        || !Sizes.areDense(shape, strides)) {
      throw new TorchException("%s chances of 65536 over %s".formatted(chances, like));
    }
    int perDraw = DType.INT64.byteSize() / DType.INT16.byteSize();
    try (TensorScope scope = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Tensor bits = Torch.empty(DType.INT64, Device.CPU, (like.numel() + perDraw - 1) / perDraw);
      RANDOM_.args().t(bits).i(Long.MIN_VALUE).none().none().into(bits);
      Tensor parts = VIEW_DTYPE.args().t(bits).i(DType.INT16.code()).tensor();
      Tensor drawn = AS_STRIDED.args().t(parts).ints(shape).ints(strides).none().tensor();
      Tensor bound = Torch.full(Short.MIN_VALUE + chances, DType.INT16);
      return scope.keep(LT_.args().t(drawn).t(bound).into(drawn).to(like.dtype()));
    }
  }

  /** Each pixel of [N, C, H, W] repeated to the size [N, C, height, width]. */
  public static Tensor upsampleNearest(Tensor x, long height, long width) {
    return NEAREST.args().t(x).ints(height, width).none().none().tensor();
  }

  /**
   * The mean of each {@code size} x {@code size} square of [N, C, H, W]; squares do not overlap.
   */
  public static Tensor averagePool(Tensor x, int size) {
    return averagePool(x, size, size, 0);
  }

  /**
   * The mean of the {@code size} x {@code size} square around every {@code stride}-th pixel of [N,
   * C, H, W], of as many pixels of it as there are: those beyond the edges are not counted.
   *
   * @param padding how far squares reach beyond the edges, at most half their size
   */
  public static Tensor averagePool(Tensor x, int size, int stride, int padding) {
    return AVG_POOL2D
        .args()
        .t(x)
        .ints(size, size)
        .ints(stride, stride)
        .ints(padding, padding)
        .b(false)
        .b(false)
        .none()
        .tensor();
  }

  /** As {@link #averagePool(Tensor, int, int, int)}, but the largest element of each square. */
  public static Tensor maxPool(Tensor x, int size, int stride, int padding) {
    return MAX_POOL2D
        .args()
        .t(x)
        .ints(size, size)
        .ints(stride, stride)
        .ints(padding, padding)
        .ints(1, 1)
        .b(false)
        .tensor();
  }

  /** [N, C, H, W] continued beyond its edges, mirrored at the edge pixels; less than its size. */
  public static Tensor reflectionPad2d(Tensor x, int left, int right, int top, int bottom) {
    return REFLECTION_PAD2D.args().t(x).ints(left, right, top, bottom).tensor();
  }

  /**
   * Where each pixel of a result of size [n, c, height, width] is found, for {@link
   * #gridSampleBilinear}: {@code theta (x, y, 1)}, all coordinates from -1 to 1 from edge to edge.
   *
   * @param theta [n, 2, 3]
   * @return [n, height, width, 2]: x and y
   */
  public static Tensor affineGrid(Tensor theta, long n, long c, long height, long width) {
    return AFFINE_GRID.args().t(theta).ints(n, c, height, width).b(false).tensor();
  }

  /** What lies beyond an image's edges. */
  public enum Beyond {
    /** Zeros. */
    ZEROS(0),
    /** The pixel at the edge, again and again. */
    BORDER(1);

    private final int code;

    Beyond(int code) {
      this.code = code;
    }
  }

  /**
   * The colours of [N, C, H, W] at the places of a grid [N, h, w, 2], interpolated bilinearly.
   *
   * @return [N, C, h, w]
   */
  public static Tensor gridSampleBilinear(Tensor x, Tensor grid, Beyond beyond) {
    return GRID_SAMPLER_2D.args().t(x).t(grid).i(0).i(beyond.code).b(false).tensor();
  }
}
