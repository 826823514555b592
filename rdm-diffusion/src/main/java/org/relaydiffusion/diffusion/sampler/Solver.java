// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Computes the images of a stage in steps between noise levels. The state is float64; the network
 * receives float32. A solver holds options only, so any number of threads may use it.
 *
 * <p>Other modules may add solvers: implement this interface and register a {@link SolverProvider}.
 */
public interface Solver {
  /**
   * Returns the levels between which it steps.
   *
   * @throws org.relaydiffusion.OptionException if there are none in the range of the network
   */
  NoiseLevels levels(Denoiser net);

  /**
   * Returns how many predictions of the guided network a run takes.
   *
   * @param steps number of steps, at least 1, see {@link NoiseLevels#steps()}
   */
  int calls(int steps);

  /** Returns whether it adds noise in its steps that no option turns off; false by default. */
  default boolean isStochastic() {
    return false;
  }

  /** Returns whether it steps along the guided network; true by default. */
  default boolean isGuided() {
    return true;
  }

  /**
   * Begins the steps of a batch. What they all use belongs to the current scope, in which they are
   * performed.
   */
  Stepper begin(Batch batch);

  /**
   * Samples a batch. Gradients are recorded unless the caller disables them ({@code
   * GradMode.noGrad()}).
   *
   * @param denoiser the network with its labels and guidance; its resolution may differ from that
   *     of {@code start}
   * @param start [N, C, H, W]: standard normal latents, or the upsampled images of the stage
   *     before; not modified
   * @param noise N generators, from which all further noise is drawn
   * @param listener receives every step
   * @return float64 [N, C, H, W], owned by the caller
   */
  default Tensor sample(
      GuidedDenoiser denoiser, Tensor start, StackedGenerators noise, StepListener listener) {
    NoiseLevels levels = levels(denoiser.network());
    try (var scope = TensorScope.open();
        LatestPrediction latest = new LatestPrediction(denoiser);
        Stepper stepper = begin(new Batch(latest, start, levels, noise))) {
      Tensor x = stepper.start();
      for (int i = 0; i < levels.steps(); i++) {
        try (var step = TensorScope.open();
            Tensor before = x) {
          x = step.keep(stepper.step(i, before));
        }
        try (var _ = TensorScope.open()) {
          listener.stepDone(i + 1, levels.steps(), latest);
        }
      }
      return scope.keep(x);
    }
  }
}
