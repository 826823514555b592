// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.jspecify.annotations.Nullable;

/** The operators of networks: convolution, normalisation, attention, resampling. */
public final class Functional {
  private static final Operator CONV2D =
      Operator.of(
          "aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], "
              + "SymInt[2] padding=[0, 0], SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor");
  private static final Operator CONV_TRANSPOSE2D =
      Operator.of(
          "aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2]"
              + " stride=[1, 1], SymInt[2] padding=[0, 0], SymInt[2] output_padding=[0, 0], SymInt"
              + " groups=1, SymInt[2] dilation=[1, 1]) -> Tensor");
  private static final Operator LINEAR =
      Operator.of("aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor");
  private static final Operator GROUP_NORM =
      Operator.of(
          "aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, "
              + "float eps=1e-05, bool cudnn_enabled=True) -> Tensor");
  private static final Operator BATCH_NORM =
      Operator.of(
          "aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
              + "Tensor? running_var, bool training, float momentum, float eps, "
              + "bool cudnn_enabled) -> Tensor");
  private static final Operator SOFTMAX =
      Operator.of("aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor");
  private static final Operator ATTENTION =
      Operator.of(
          "aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor?"
              + " attn_mask=None, float dropout_p=0., bool is_causal=False, *, float? scale=None,"
              + " bool enable_gqa=False) -> Tensor");
  private static final Operator DROPOUT =
      Operator.of("aten::dropout(Tensor input, float p, bool train) -> Tensor");
  private static final Operator RANDOM_ =
      Operator.of(
          "aten::random_.from(Tensor(a!) self, int from, int? to, *, "
              + "Generator? generator=None) -> Tensor(a!)");
  private static final Operator VIEW_DTYPE =
      Operator.of("aten::view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)");
  private static final Operator AS_STRIDED =
      Operator.of(
          "aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, "
              + "SymInt? storage_offset=None) -> Tensor(a)");
  private static final Operator LT_ =
      Operator.of("aten::lt_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)");
  private static final Operator NEAREST =
      Operator.of(
          "aten::upsample_nearest2d(Tensor self, SymInt[2] output_size, float? scales_h=None, "
              + "float? scales_w=None) -> Tensor");

  private static final Operator AVG_POOL2D =
      Operator.of(
          "aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0,"
              + " bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) ->"
              + " Tensor");
  private static final Operator MAX_POOL2D =
      Operator.of(
          "aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
              + "int[2] dilation=1, bool ceil_mode=False) -> Tensor");
  private static final Operator REFLECTION_PAD2D =
      Operator.of("aten::reflection_pad2d(Tensor self, SymInt[4] padding) -> Tensor");
  private static final Operator AFFINE_GRID =
      Operator.of(
          "aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor");
  private static final Operator GRID_SAMPLER_2D =
      Operator.of(
          "aten::grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, "
              + "int padding_mode, bool align_corners) -> Tensor");

  // The schema of batch_norm requires one; evaluation does not use it.
  private static final double MOMENTUM = 0.1;

  private static final Operator LOG_SOFTMAX =
      Operator.of("aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor");
  private static final Operator LAYER_NORM =
      Operator.of(
          "aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, "
              + "Tensor? bias=None, float eps=1.0000000000000001e-05, bool cudnn_enable=True) "
              + "-> Tensor");
  private static final Operator EMBEDDING =
      Operator.of(
          "aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, "
              + "bool scale_grad_by_freq=False, bool sparse=False) -> Tensor");
  private static final Operator ONE_HOT =
      Operator.of("aten::one_hot(Tensor self, int num_classes=-1) -> Tensor");

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
    TorchException.requireNonNull(stride, "stride");
    TorchException.requireNonNull(padding, "padding");
    return CONV2D
        .call()
        .arg(x)
        .arg(weight)
        .arg(bias)
        .arg(stride.height(), stride.width())
        .arg(padding.height(), padding.width())
        .arg(1, 1)
        .arg(groups)
        .tensor();
  }

  /** Transposed convolution of [N, C, H, W] with a weight [C, O / groups, kh, kw]. */
  public static Tensor convTranspose2d(
      Tensor x, Tensor weight, @Nullable Tensor bias, int stride, int padding, int groups) {
    return CONV_TRANSPOSE2D
        .call()
        .arg(x)
        .arg(weight)
        .arg(bias)
        .arg(stride, stride)
        .arg(padding, padding)
        .arg(0, 0)
        .arg(groups)
        .arg(1, 1)
        .tensor();
  }

  /** {@code x weight^T + bias} for x [..., I] and weight [O, I]. */
  public static Tensor linear(Tensor x, Tensor weight, @Nullable Tensor bias) {
    return LINEAR.call().arg(x).arg(weight).arg(bias).tensor();
  }

  /**
   * Normalises each image's groups of channels to mean 0 and variance 1, then scales and shifts.
   */
  public static Tensor groupNorm(
      Tensor x, int groups, @Nullable Tensor weight, @Nullable Tensor bias, double eps) {
    return GROUP_NORM.call().arg(x).arg(groups).arg(weight).arg(bias).arg(eps).arg(true).tensor();
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
        .call()
        .arg(x)
        .arg(weight)
        .arg(bias)
        .arg(mean)
        .arg(variance)
        .arg(false)
        .arg(MOMENTUM)
        .arg(eps)
        .arg(true)
        .tensor();
  }

  /** Softmax along one axis. */
  public static Tensor softmax(Tensor x, int dim) {
    return SOFTMAX.call().arg(x).arg(dim).tensor();
  }

  /** The logarithm of {@link #softmax}, without its overflow. */
  public static Tensor logSoftmax(Tensor x, int dim) {
    return LOG_SOFTMAX.call().arg(x).arg(dim).tensor();
  }

  /**
   * Normalises the last axes to mean 0 and variance 1, then scales and shifts.
   *
   * @param shape the sizes of the axes that are normalised together
   * @param weight the scale, of that shape, or none for 1
   * @param bias the shift, of that shape, or none for 0
   * @param eps added to the variance
   */
  public static Tensor layerNorm(
      Tensor x, long[] shape, @Nullable Tensor weight, @Nullable Tensor bias, double eps) {
    return LAYER_NORM.call().arg(x).arg(shape).arg(weight).arg(bias).arg(eps).tensor();
  }

  /**
   * The rows of a table by their numbers.
   *
   * @param table [count, features]
   * @param numbers int64 or int32 [...], from 0 to count - 1
   * @return [..., features]
   */
  public static Tensor embedding(Tensor table, Tensor numbers) {
    return EMBEDDING.apply(table, numbers);
  }

  /**
   * 1 at each class, 0 elsewhere: int64 [..., classes].
   *
   * @param numbers int64 [...], from 0 to classes - 1
   */
  public static Tensor oneHot(Tensor numbers, int classes) {
    return ONE_HOT.call().arg(numbers).arg(classes).tensor();
  }

  /**
   * softmax(q k^T / sqrt(E)) v for [N, heads, L, E], in a fused kernel where there is one.
   *
   * @return [N, heads, L, E]
   */
  public static Tensor attention(Tensor q, Tensor k, Tensor v) {
    return ATTENTION.call().arg(q).arg(k).arg(v).tensor();
  }

  /** Zeroes elements with probability p and scales the rest; draws from the default generator. */
  public static Tensor dropout(Tensor x, double p) {
    return DROPOUT.call().arg(x).arg(p).arg(true).tensor();
  }

  /**
   * 1 with probability {@code chances / 65536}, else 0, in the type, shape and order of a dense
   * tensor on the CPU. Where {@link #dropout} draws 64 bits an element from the default generator,
   * this draws 16.
   *
   * @throws TorchException when chances is not from 0 to 65535, or the tensor not as said
   */
  public static Tensor dropoutMask(Tensor like, int chances) {
    TorchException.requireNonNull(like, "like");
    long[] shape = like.shape();
    long[] strides = like.strides();
    if (chances < 0
        || chances > 0xffff
        || like.device().type() != Device.Type.CPU
        || !Sizes.areDense(shape, strides)) {
      throw new TorchException("%s chances of 65536 over %s".formatted(chances, like.describe()));
    }
    int perDraw = DType.INT64.byteSize() / DType.INT16.byteSize();
    try (TensorScope scope = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Tensor bits = Torch.empty(DType.INT64, Device.CPU, (like.numel() + perDraw - 1) / perDraw);
      Tensor _ = RANDOM_.call().arg(bits).arg(Long.MIN_VALUE).none().tensor();
      Tensor parts = VIEW_DTYPE.call().arg(bits).arg(DType.INT16).tensor();
      Tensor drawn = AS_STRIDED.call().arg(parts).arg(shape).arg(strides).tensor();
      Tensor bound = Torch.full(Short.MIN_VALUE + chances, DType.INT16);
      return scope.keep(LT_.apply(drawn, bound).to(like.dtype()));
    }
  }

  /** Each pixel of [N, C, H, W] repeated to the size [N, C, height, width]. */
  public static Tensor upsampleNearest(Tensor x, long height, long width) {
    return NEAREST.call().arg(x).arg(height, width).tensor();
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
        .call()
        .arg(x)
        .arg(size, size)
        .arg(stride, stride)
        .arg(padding, padding)
        .arg(false)
        .arg(false)
        .none()
        .tensor();
  }

  /** As {@link #averagePool(Tensor, int, int, int)}, but the largest element of each square. */
  public static Tensor maxPool(Tensor x, int size, int stride, int padding) {
    return MAX_POOL2D
        .call()
        .arg(x)
        .arg(size, size)
        .arg(stride, stride)
        .arg(padding, padding)
        .arg(1, 1)
        .arg(false)
        .tensor();
  }

  /** [N, C, H, W] continued beyond its edges, mirrored at the edge pixels; less than its size. */
  public static Tensor reflectionPad2d(Tensor x, int left, int right, int top, int bottom) {
    return REFLECTION_PAD2D.call().arg(x).arg(left, right, top, bottom).tensor();
  }

  /**
   * Where each pixel of a result of size [n, c, height, width] is found, for {@link
   * #gridSampleBilinear}: {@code theta (x, y, 1)}, all coordinates from -1 to 1 from edge to edge.
   *
   * @param theta [n, 2, 3]
   * @return [n, height, width, 2]: x and y
   */
  public static Tensor affineGrid(Tensor theta, long n, long c, long height, long width) {
    return AFFINE_GRID.call().arg(theta).arg(n, c, height, width).arg(false).tensor();
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
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(grid, "grid");
    TorchException.requireNonNull(beyond, "beyond");
    return GRID_SAMPLER_2D.call().arg(x).arg(grid).arg(0).arg(beyond.code).arg(false).tensor();
  }
}
