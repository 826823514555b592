// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.MkldnnAbi;
import org.relaydiffusion.torch.ffi.NativeCallException;

/**
 * A convolution whose weight lies in the layout that oneDNN's kernels read, rearranged once instead
 * of at every call. The results are those of {@link Functional#conv2d} on channels-last tensors, to
 * the bit; small images gain most, because there the rearrangement costs as much as the arithmetic.
 * CPU only, without gradients. Safe to use from several threads.
 */
public final class PackedConv2d implements AutoCloseable {
  private static final Operator TO_MKLDNN =
      Operator.of("aten::to_mkldnn(Tensor self, ScalarType? dtype=None) -> Tensor");
  private static final Operator REORDER =
      Operator.of(
          "aten::mkldnn_reorder_conv2d_weight(Tensor self, SymInt[2] padding=[0, 0], "
              + "SymInt[2] stride=[1, 1], SymInt[2] dilation=[1, 1], SymInt groups=1, "
              + "SymInt[]? input_size=None) -> Tensor");
  private static final Operator CONVOLUTION =
      Operator.of(
          "mkldnn::_convolution_pointwise(Tensor X, Tensor W, Tensor? B, int[] padding, "
              + "int[] stride, int[] dilation, int groups, str attr, Scalar?[] scalars, "
              + "str? algorithm) -> Tensor Y");

  private final Tensor weight;
  private final @Nullable Tensor bias;
  private final Geometry geometry;
  private final MkldnnAbi.Geometry given;
  private final DType dtype;

  private PackedConv2d(DType dtype, Tensor weight, @Nullable Tensor bias, Geometry geometry) {
    this.dtype = dtype;
    this.weight = weight;
    this.bias = bias;
    this.geometry = geometry;
    this.given =
        MkldnnAbi.Geometry.of(
            geometry.stride,
            geometry.padding.height(),
            geometry.padding.width(),
            geometry.activation.oneDnn);
  }

  /** What is done to each element of the result before it is written. */
  public enum Activation {
    /** Nothing. */
    NONE("none"),
    /** {@code max(x, 0)}. */
    RELU("relu");

    private final String oneDnn;

    Activation(String oneDnn) {
      this.oneDnn = oneDnn;
    }
  }

  /**
   * How a convolution goes over its images.
   *
   * @param stride of both axes
   * @param padding with zeros
   * @param batch the number of images to come at a time; others work too, but slower, because
   *     oneDNN chooses its layout by it, and rearranges the weight at each call where it does not
   *     fit
   * @param height of the images to come, likewise
   * @param width of the images to come, likewise
   * @param activation of the result
   */
  public record Geometry(
      int stride, Padding2d padding, int batch, int height, int width, Activation activation) {
    /** Refuses null. */
    public Geometry {
      TorchException.requireNonNull(padding, "padding");
      TorchException.requireNonNull(activation, "activation");
    }
  }

  /**
   * Packs a weight; stride 1, one group.
   *
   * @param weight [O, C, kh, kw], float32 or bfloat16; not needed afterwards
   * @param bias [O] of the same type, copied, or none
   * @param padding zeros on every side
   * @param resolution width and height of the images to come; others work too, but slower, because
   *     oneDNN chooses its layout by them
   * @throws TorchException when weight and bias are not as said, padding is negative or resolution
   *     below 1
   */
  public static PackedConv2d pack(
      Tensor weight, @Nullable Tensor bias, int padding, int resolution) {
    return pack(
        weight,
        bias,
        new Geometry(
            1, new Padding2d(padding, padding), 1, resolution, resolution, Activation.NONE));
  }

  /**
   * Packs a weight; one group.
   *
   * @param weight [O, C, kh, kw], float32 or bfloat16; not needed afterwards
   * @param bias [O] of the same type, copied, or none
   * @throws TorchException when weight and bias are not as said, padding is negative, or stride,
   *     batch, height or width below 1
   */
  public static PackedConv2d pack(Tensor weight, @Nullable Tensor bias, Geometry geometry) {
    TorchException.requireNonNull(weight, "weight");
    TorchException.requireNonNull(geometry, "geometry");
    check(weight, bias, geometry);
    try (TensorScope scope = TensorScope.open()) {
      Tensor dense = weight.contiguous();
      Tensor opaque = TO_MKLDNN.apply(dense);
      return of(scope, weight.dtype(), opaque, bias, geometry);
    }
  }

  /** Makes both tensors before the first of them leaves the scope, so that none can be lost. */
  private static PackedConv2d of(
      TensorScope scope, DType dtype, Tensor opaque, @Nullable Tensor bias, Geometry geometry) {
    Tensor arranged = reordered(opaque, geometry);
    Tensor copied = bias == null ? null : Shapes.copy(bias);
    return new PackedConv2d(
        dtype,
        scope.keep(arranged).release(),
        copied == null ? null : scope.keep(copied).release(),
        geometry);
  }

  /** A weight in oneDNN's own tensors, from any layout to the one that fits the images to come. */
  private static Tensor reordered(Tensor opaque, Geometry geometry) {
    return REORDER
        .call()
        .arg(opaque)
        .arg(geometry.padding.height(), geometry.padding.width())
        .arg(geometry.stride, geometry.stride)
        .arg(1, 1)
        .arg(1)
        .arg(geometry.batch, opaque.size(1), geometry.height, geometry.width)
        .tensor();
  }

  /**
   * The same convolution with its weight rearranged for another number of images at a time. It is
   * the caller's, and this one stays as it is.
   *
   * @throws TorchException when {@code batch} is below 1
   */
  public PackedConv2d repack(int batch) {
    if (batch < 1) {
      throw new TorchException("a convolution cannot be packed for %s images".formatted(batch));
    }
    Geometry other =
        new Geometry(
            geometry.stride,
            geometry.padding,
            batch,
            geometry.height,
            geometry.width,
            geometry.activation);
    try (TensorScope scope = TensorScope.open()) {
      return of(scope, dtype, weight, bias, other);
    }
  }

  /** The images that its weight is arranged for, and how it goes over them. */
  public Geometry geometry() {
    return geometry;
  }

  /** oneDNN's kernels take these on trust. */
  private static void check(Tensor weight, @Nullable Tensor bias, Geometry geometry) {
    DType dtype = weight.dtype();
    if (weight.rank() != 4
        || weight.numel() == 0
        || (dtype != DType.FLOAT32 && dtype != DType.BFLOAT16)
        || weight.device().type() != Device.Type.CPU) {
      throw new TorchException(
          "a packed weight is float32 or bfloat16 [O, C, kh, kw] on the CPU, not "
              + weight.describe());
    }
    if (bias != null
        && (bias.rank() != 1 || bias.size(0) != weight.size(0) || bias.dtype() != dtype)) {
      throw new TorchException(
          "a bias %s does not fit the weight %s".formatted(bias.describe(), weight.describe()));
    }
    if (geometry.padding.height() < 0
        || geometry.padding.width() < 0
        || geometry.stride < 1
        || geometry.batch < 1
        || geometry.height < 1
        || geometry.width < 1
        || geometry.height + 2 * geometry.padding.height() < weight.size(2)
        || geometry.width + 2 * geometry.padding.width() < weight.size(3)) {
      throw new TorchException(
          "a convolution with the weight %s cannot have %s".formatted(weight.describe(), geometry));
    }
  }

  /**
   * Convolves [N, C, H, W] in channels-last order; the result is in that order too.
   *
   * @throws TorchException when x is of another type than the weight, its channels differ, or it
   *     requires a gradient
   */
  public Tensor apply(Tensor x) {
    TorchException.requireNonNull(x, "x");
    if (x.dtype() != dtype) {
      throw new TorchException(
          "a convolution packed in %s does not take %s".formatted(dtype.torchName(), x.describe()));
    }
    if (Autograd.records(x)) {
      throw new TorchException(
          "a packed convolution has no gradient, but %s requires one".formatted(x.describe()));
    }
    if (!MkldnnAbi.isAvailable()) {
      return dispatch(x);
    }
    try {
      return new Tensor(Tensor.with(x, weight, this::convolve));
    } catch (NativeCallException e) {
      throw TorchException.failed("a packed convolution of " + x.describe(), e);
    }
  }

  private long convolve(long x, long packed) throws NativeCallException {
    return bias == null
        ? MkldnnAbi.convolution(x, packed, 0, given)
        : Tensor.with(bias, bias, (b, _) -> MkldnnAbi.convolution(x, packed, b, given));
  }

  private Tensor dispatch(Tensor x) {
    return CONVOLUTION
        .call()
        .arg(x)
        .arg(weight)
        .arg(bias)
        .arg(geometry.padding.height(), geometry.padding.width())
        .arg(geometry.stride, geometry.stride)
        .arg(1, 1)
        .arg(1)
        .arg(geometry.activation.oneDnn)
        .arg(List.of())
        .none()
        .tensor();
  }

  @Override
  public void close() {
    weight.close();
    if (bias != null) {
      bias.close();
    }
  }
}
