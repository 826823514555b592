// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The {@link RelayCoefficients} of all steps of a run but the last, computed before the first step
 * and copied to the device of the images at once.
 */
final class RelayMultistepTable {
  private final int patchSize;
  private final List<RelayCoefficients> steps;

  /** One [2, s, s] per step: the coefficients of the current and of the previous prediction. */
  private final List<Tensor> tiles;

  private RelayMultistepTable(int patchSize, List<RelayCoefficients> steps, List<Tensor> tiles) {
    this.patchSize = patchSize;
    this.steps = steps;
    this.tiles = tiles;
  }

  /**
   * Computes the coefficients, whose tensors belong to the current scope.
   *
   * @param options the blur and the side s of a patch
   * @param fresh the fraction of the noise that a step replaces
   * @param levels of the run
   * @param device of the images
   */
  static RelayMultistepTable of(
      RelayOptions options, double fresh, NoiseLevels levels, Device device) {
    int s = options.upScale();
    List<RelayCoefficients> steps = new ArrayList<>();
    for (int i = 0; i < levels.steps() - 1; i++) {
      OptionalDouble before = i == 0 ? OptionalDouble.empty() : OptionalDouble.of(levels.at(i - 1));
      steps.add(
          RelayCoefficients.of(
              options.blurSchedule(), s, fresh, before, levels.at(i), levels.at(i + 1)));
    }
    return new RelayMultistepTable(s, steps, steps.isEmpty() ? List.of() : tiles(s, steps, device));
  }

  private static List<Tensor> tiles(int s, List<RelayCoefficients> steps, Device device) {
    try (TensorScope scope = TensorScope.open()) {
      List<Tensor> here = new ArrayList<>();
      for (RelayCoefficients step : steps) {
        Tensor current = Torch.tensor(step.current(), s, s);
        Tensor previous = Torch.tensor(step.previous(), s, s);
        here.add(Torch.stack(List.of(current, previous), 0));
      }
      List<Tensor> there = Shapes.unbind(Torch.stack(here, 0).to(device), 0);
      there.forEach(scope::keep);
      return there;
    }
  }

  /** Returns the coefficient of the state in step {@code i}. */
  double kept(int i) {
    return steps.get(i).kept();
  }

  /** Returns the coefficient of the new noise in step {@code i}. */
  double added(int i) {
    return steps.get(i).added();
  }

  /**
   * Returns the coefficients of the prediction of step {@code i}, repeated over the image.
   *
   * @param images [N, C, H, W]; s must divide H and W. Only its size is used
   * @return float64 [H, W], in the current scope
   */
  Tensor current(int i, Tensor images) {
    return repeated(i, 0, images);
  }

  /** Returns the coefficients of the prediction before that of step {@code i}, likewise. */
  Tensor previous(int i, Tensor images) {
    return repeated(i, 1, images);
  }

  private Tensor repeated(int i, int which, Tensor images) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor tile = Shapes.select(tiles.get(i), 0, which);
      return scope.keep(
          Shapes.repeat(tile, images.size(2) / patchSize, images.size(3) / patchSize));
    }
  }
}
