// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Initializer;

/**
 * How weights and biases begin. A gain of 0 draws all the same: the reference does, and the draws
 * that follow depend on it.
 *
 * @param mode the distribution and its width
 * @param weight the gain of weights
 * @param bias the gain of biases
 */
public record WeightInit(Mode mode, double weight, double bias) {
  /** Where a first value is drawn from, for fan-in i and fan-out o. */
  public enum Mode {
    /** sqrt(6 / (i + o)) U(-1, 1). */
    XAVIER_UNIFORM,
    /** sqrt(2 / (i + o)) N(0, 1). */
    XAVIER_NORMAL,
    /** sqrt(3 / i) U(-1, 1). */
    KAIMING_UNIFORM,
    /** sqrt(1 / i) N(0, 1). */
    KAIMING_NORMAL
  }

  /** The reference's default for single layers. */
  public static final WeightInit DEFAULT = new WeightInit(Mode.KAIMING_NORMAL, 1, 0);

  Initializer weight(long fanIn, long fanOut) {
    return initializer(fanIn, fanOut, weight);
  }

  Initializer bias(long fanIn, long fanOut) {
    return initializer(fanIn, fanOut, bias);
  }

  private Initializer initializer(long fanIn, long fanOut, double gain) {
    return (generator, shape) -> {
      try (TensorScope scope = TensorScope.open()) {
        Tensor drawn =
            switch (mode) {
              case XAVIER_UNIFORM, KAIMING_UNIFORM ->
                  Torch.full(2, DType.FLOAT32).mul(generator.rand(DType.FLOAT32, shape)).add(-1);
              case XAVIER_NORMAL, KAIMING_NORMAL -> generator.randn(DType.FLOAT32, shape);
            };
        double width =
            switch (mode) {
              case XAVIER_UNIFORM -> Math.sqrt(6.0 / (fanIn + fanOut));
              case XAVIER_NORMAL -> Math.sqrt(2.0 / (fanIn + fanOut));
              case KAIMING_UNIFORM -> Math.sqrt(3.0 / fanIn);
              case KAIMING_NORMAL -> Math.sqrt(1.0 / fanIn);
            };
        return scope.keep(drawn.mul(width).mul(gain));
      }
    };
  }

  /** The initializer of a normalisation's weight. */
  static Initializer ones() {
    return (_, shape) -> Torch.ones(DType.FLOAT32, shape);
  }

  /** The initializer of a normalisation's bias. */
  static Initializer zeros() {
    return (_, shape) -> Torch.zeros(DType.FLOAT32, shape);
  }
}
