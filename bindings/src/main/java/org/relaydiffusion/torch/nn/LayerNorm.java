// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import java.util.Arrays;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TorchException;

/**
 * Normalises the last axes to mean 0 and variance 1, then scales and shifts each element ({@code
 * torch.nn.LayerNorm}): weight and bias have the shape of those axes and begin as ones and zeros.
 */
public final class LayerNorm extends UnaryModule {
  /** PyTorch's default. */
  public static final double EPS = 1e-5;

  private final long[] shape;
  private final double eps;
  private final Parameter weight;
  private final Parameter bias;

  /**
   * With {@link #EPS}.
   *
   * @param shape the sizes of the last axes, which are normalised together
   * @throws TorchException when there are none
   */
  public LayerNorm(long... shape) {
    this(shape, EPS);
  }

  /**
   * Makes the module.
   *
   * @param shape the sizes of the last axes, which are normalised together
   * @param eps added to the variance
   * @throws TorchException when there are no such axes
   */
  public LayerNorm(long[] shape, double eps) {
    TorchException.requireNonNull(shape, "shape");
    if (shape.length == 0 || Arrays.stream(shape).anyMatch(s -> s < 1)) {
      throw new TorchException(
          "a layer norm needs the sizes of the last axes, not " + Arrays.toString(shape));
    }
    this.shape = shape.clone();
    this.eps = eps;
    weight = parameter("weight", Initializers.ones(), shape);
    bias = parameter("bias", Initializers.zeros(), shape);
  }

  /** The scale. */
  public Parameter weight() {
    return weight;
  }

  /** The shift. */
  public Parameter bias() {
    return bias;
  }

  /** [..., shape] to the same. */
  @Override
  public Tensor forward(Tensor x) {
    return observed(Functional.layerNorm(x, shape, weight.value(), bias.value(), eps));
  }
}
