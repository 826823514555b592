// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.ModelException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;

/** Group normalisation with min(32, channels / 4) groups. */
public final class GroupNorm extends Layer {
  private static final int MAX_GROUPS = 32;
  private static final int MIN_CHANNELS_PER_GROUP = 4;

  private final int groups;
  private final double eps;
  private final Parameter weight;
  private final Parameter bias;

  /** Both in the type of the activations, for {@link Execution.Prepared}. */
  private @Nullable Tensor preparedWeight;

  private @Nullable Tensor preparedBias;

  /**
   * Makes the layer.
   *
   * @param channels of its input
   * @param eps added to the variance
   * @throws ModelException when the groups do not divide the channels
   */
  public GroupNorm(int channels, double eps) {
    this.groups = Math.min(MAX_GROUPS, channels / MIN_CHANNELS_PER_GROUP);
    if (groups == 0 || channels % groups != 0) {
      throw new ModelException(
          "%s channels cannot be normalised in %s equal groups".formatted(channels, groups));
    }
    this.eps = eps;
    this.weight = parameter("weight", WeightInit.ones(), channels);
    this.bias = parameter("bias", WeightInit.zeros(), channels);
  }

  @Override
  protected void prepared() {
    freePrepared();
    if (execution() instanceof Execution.Prepared(DType dtype, Device _) && weight.isSet()) {
      preparedWeight = weight.value().to(dtype).release();
      preparedBias = bias.value().to(dtype).release();
    }
  }

  /** [N, C, H, W] to the same. */
  public Tensor forward(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      // The CPU's kernel takes float32 weights beside bfloat16 activations; the reference does not.
      DType dtype = execution() instanceof Execution.Packed ? DType.FLOAT32 : x.dtype();
      Tensor w = (preparedWeight == null ? weight.value() : preparedWeight).to(dtype);
      Tensor b = (preparedBias == null ? bias.value() : preparedBias).to(dtype);
      return observed(scope.keep(Functional.groupNorm(x, groups, w, b, eps)));
    }
  }

  /**
   * As {@link #forward}, then times {@code scale + 1}, plus {@code shift}.
   *
   * @param x [N, C, H, W]
   * @param scale [N, C, 1, 1] or [1, C, 1, 1], of x's type
   * @param shift of the same shape
   */
  Tensor modulated(Tensor x, Tensor scale, Tensor shift) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor factor = scale.add(1);
      if (!GradMode.isEnabled() || execution() instanceof Execution.Reference) {
        return scope.keep(Pointwise.addcmul(shift, forward(x), factor));
      }
      boolean composed = x.dtype() == DType.FLOAT32 && x.device().type() == Device.Type.CPU;
      // Where a gradient is recorded, addcmul takes three more passes.
      return scope.keep(
          composed ? composed(x, factor, shift) : forward(x).mul(factor).sub(Pointwise.neg(shift)));
    }
  }

  /**
   * As {@link #modulated}, with weight and bias contained in {@code scale} and {@code shift}: the
   * channels of all images are normalised as those of one, with a weight and a bias for each.
   *
   * @param x [N, C, H, W]
   * @param scale [N C], of x's type
   * @param shift [N C]
   */
  Tensor contained(Tensor x, Tensor scale, Tensor shift) {
    long[] s = x.shape();
    try (TensorScope scope = TensorScope.open()) {
      if (s[0] == 0) {
        return scope.keep(x.reshape(s));
      }
      Tensor channels = x.reshape(1, s[0] * s[1], s[2], s[3]);
      int all = Math.toIntExact(groups * s[0]);
      return scope.keep(Functional.groupNorm(channels, all, scale, shift, eps).reshape(s));
    }
  }

  /** The weight [C] in float32. */
  Tensor plainWeight() {
    return weight.value();
  }

  /** The bias [C] in float32. */
  Tensor plainBias() {
    return bias.value();
  }

  private void freePrepared() {
    if (preparedWeight != null) {
      preparedWeight.close();
      preparedWeight = null;
    }
    if (preparedBias != null) {
      preparedBias.close();
      preparedBias = null;
    }
  }

  @Override
  public void close() {
    super.close();
    freePrepared();
  }

  /**
   * The same as x a + b, with a and b [N, C, 1, 1] from the moments of each group. LibTorch's own
   * way back through a normalisation in channels-last order takes seven times as long as in
   * row-major order; this way there and back takes half the time, and keeps one tensor less.
   */
  private Tensor composed(Tensor x, Tensor factor, Tensor shift) {
    long[] each = {factor.size(0), groups, x.size(1) / groups};
    Tensor mean = groupMean(x);
    Tensor half = halfMeanSquare(x);
    Tensor meanSquare = half.mul(2).sub(half.detach());
    Tensor variance =
        Pointwise.clamp(meanSquare.sub(mean.mul(mean)), Torch.full(0, DType.FLOAT32), null);
    Tensor deviation = Pointwise.sqrt(variance.add(eps));
    Tensor a = factor.mul(weight.value().reshape(1, -1, 1, 1)).reshape(each).div(deviation);
    Tensor b =
        factor.mul(bias.value().reshape(1, -1, 1, 1)).add(shift).reshape(each).sub(a.mul(mean));
    long[] broadcast = {-1, x.size(1), 1, 1};
    try (Tensor product = x.mul(a.reshape(broadcast))) {
      return product.sub(Pointwise.neg(b).reshape(broadcast));
    }
  }

  /**
   * The mean square, with half of its derivative: that of a constant times x goes back in one pass
   * over x, that of x^2 in two and a sum.
   */
  private Tensor halfMeanSquare(Tensor x) {
    try (Tensor constant = x.detach();
        Tensor product = constant.mul(x)) {
      return groupMean(product);
    }
  }

  /** [N, groups, 1]. */
  private Tensor groupMean(Tensor x) {
    Tensor sums = Reduction.sum(x, Reduction.KeepDim.NO, 2, 3);
    // Sizes are given, not computed from the number of images, of which there may be none.
    long channels = x.size(1) / groups;
    double count = (double) (channels * x.size(2) * x.size(3));
    return Reduction.sum(sums.reshape(x.size(0), groups, channels), Reduction.KeepDim.YES, 2)
        .div(count);
  }
}
