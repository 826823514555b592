// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.Foreach;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * The exponential moving average (EMA) of a network's parameters during training, in a second set
 * of parameters. Networks are usually sampled from with these.
 */
public final class ExponentialMovingAverage {
  private ExponentialMovingAverage() {}

  /**
   * {@code average = lerp(trained, average, beta)} over all parameters, to the bit.
   *
   * @param average changed
   * @param trained in the same order, of the same shapes
   * @param beta the share of the past, in [0, 1]; 0 copies
   */
  public static void update(List<Parameter> average, List<Parameter> trained, double beta) {
    check(average, trained, beta);
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      List<Tensor> to = average.stream().map(Parameter::value).toList();
      List<Tensor> from = trained.stream().map(Parameter::value).toList();
      // Above one half, lerp(a, b, w) = b - (b - a) (1 - w), which is lerp(b, a, 1 - w) in place,
      // rounding included; 1 - w is exact there. Below, it would lose digits of w.
      float share = (float) beta;
      if (share > 0.5f) {
        Foreach.lerpInPlace(to, from, 1 - share);
      } else {
        Foreach.copyInPlace(to, Foreach.lerp(from, to, beta));
      }
    }
  }

  /**
   * As {@link #update}, in a few kernels for all parameters on CUDA, where {@link #update} has one
   * for each. The last bit of an element may be another.
   *
   * @param average changed
   * @param trained in the same order, of the same shapes, in the same order of axes
   * @param beta the share of the past, in [0, 1]
   */
  public static void updateFused(List<Parameter> average, List<Parameter> trained, double beta) {
    check(average, trained, beta);
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Foreach.fusedLerpInPlace(
          average.stream().map(Parameter::value).toList(),
          trained.stream().map(Parameter::value).toList(),
          1 - beta);
    }
  }

  private static void check(List<Parameter> average, List<Parameter> trained, double beta) {
    TorchException.requireNoNulls(average, "average");
    TorchException.requireNoNulls(trained, "trained");
    if (!(beta >= 0 && beta <= 1)) {
      throw new OptionException("the share of the past lies in [0, 1], not " + beta);
    }
    if (average.size() != trained.size()) {
      throw new TorchException(
          "%s parameters cannot follow %s".formatted(average.size(), trained.size()));
    }
  }
}
