// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TorchException;

/**
 * A convolution of images with a square kernel ({@code torch.nn.Conv2d}): weight [out, in / groups,
 * kernel, kernel] and bias [out], which begin uniform in +-1 / sqrt(in / groups kernel^2).
 */
public final class Conv2d extends UnaryModule {
  private final Options options;
  private final Parameter weight;
  private final @Nullable Parameter bias;

  /**
   * How the kernel moves: {@code Options.DEFAULT.withStride(2).withPadding(1)}.
   *
   * @param stride from one result to the next, along both axes, 1 or more
   * @param padding zeros on every side, 0 or more
   * @param groups in how many parts the channels are convolved on their own, 1 or more
   * @param bias whether one is added
   */
  public record Options(int stride, int padding, int groups, Bias bias) {
    /** PyTorch's defaults: stride 1, no padding, one group, with a bias. */
    public static final Options DEFAULT = new Options(1, 0, 1, Bias.ADDED);

    /**
     * Checks the ranges.
     *
     * @throws TorchException when a number is outside its range
     */
    public Options {
      TorchException.requireNonNull(bias, "bias");
      if (stride < 1 || padding < 0 || groups < 1) {
        throw new TorchException(
            "a convolution cannot have stride %s, padding %s and %s groups"
                .formatted(stride, padding, groups));
      }
    }

    /** With another stride. */
    public Options withStride(int stride) {
      return new Options(stride, padding, groups, bias);
    }

    /** With another padding. */
    public Options withPadding(int padding) {
      return new Options(stride, padding, groups, bias);
    }

    /** With another number of groups. */
    public Options withGroups(int groups) {
      return new Options(stride, padding, groups, bias);
    }

    /** Without a bias. */
    public Options withoutBias() {
      return new Options(stride, padding, groups, Bias.NONE);
    }
  }

  /** With stride 1, no padding and a bias. */
  public Conv2d(int in, int out, int kernel) {
    this(in, out, kernel, Options.DEFAULT);
  }

  /**
   * Makes the module.
   *
   * @param in channels of the input
   * @param out channels of the output
   * @param kernel width and height
   * @throws TorchException when one of these is below 1, or the groups do not divide the channels
   */
  public Conv2d(int in, int out, int kernel, Options options) {
    int groups = TorchException.requireNonNull(options, "options").groups();
    if (in < 1 || out < 1 || kernel < 1 || in % groups != 0 || out % groups != 0) {
      throw new TorchException(
          "no convolution has %s and %s channels in %s groups and a kernel of %s"
              .formatted(in, out, groups, kernel));
    }
    this.options = options;
    long fanIn = (long) (in / groups) * kernel * kernel;
    weight =
        parameter("weight", Initializers.kaimingUniform(fanIn), out, in / groups, kernel, kernel);
    bias =
        options.bias() == Bias.ADDED
            ? parameter("bias", Initializers.biasUniform(fanIn), out)
            : null;
  }

  /** The weight, [out, in / groups, kernel, kernel]. */
  public Parameter weight() {
    return weight;
  }

  /** The bias, [out], or null. */
  public @Nullable Parameter bias() {
    return bias;
  }

  /** [N, in, H, W] to [N, out, H', W'] with H' = (H + 2 padding - kernel) / stride + 1. */
  @Override
  public Tensor forward(Tensor x) {
    return observed(
        Functional.conv2d(
            x,
            weight.value(),
            bias == null ? null : bias.value(),
            options.stride(),
            options.padding(),
            options.groups()));
  }
}
