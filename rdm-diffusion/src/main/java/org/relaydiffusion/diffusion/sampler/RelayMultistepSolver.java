// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.blur.PatchDct;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;

/**
 * The multistep solvers of the relay, of second order with one network call a step:
 * DPM-Solver++(2M) (Lu et al., arXiv 2211.01095) for the blurring diffusion, in which each
 * frequency of a patch has its own {@code lambda = ln(alpha / t)}; docs/sampling.md derives it. As
 * in {@link RelaySolver}, the state at the first level is {@code image + t_0 (N + s_block B)}, and
 * the result is the network's prediction at the last one. Churn is ignored.
 *
 * @param options the steps, blur and noise
 * @param form what becomes of the noise
 */
public record RelayMultistepSolver(RelayOptions options, Form form) implements Solver {
  /** What becomes of the noise of the state in a step. */
  public enum Form {
    /** {@code relay-2m}: it is kept, and none is drawn. {@code s_noise} is ignored. */
    DETERMINISTIC,
    /**
     * {@code relay-sde-2m}: the fraction {@code s_noise} of it is replaced. A step draws N, then B
     * if {@code s_block} is above 0, once; even if {@code s_noise} is 0.
     */
    STOCHASTIC
  }

  static RelayMultistepSolver deterministic(RelayOptions options) {
    return new RelayMultistepSolver(options, Form.DETERMINISTIC);
  }

  static RelayMultistepSolver stochastic(RelayOptions options) {
    return new RelayMultistepSolver(options, Form.STOCHASTIC);
  }

  /**
   * Returns the levels below the truncation, with the final 0.
   *
   * @throws OptionException if there are none
   */
  @Override
  public NoiseLevels levels(Denoiser net) {
    return RelaySolver.levels(options, net);
  }

  @Override
  public int calls(int steps) {
    return steps;
  }

  /**
   * Begins the steps; block noise is drawn in the dtype of the start. They fail if {@code up_scale}
   * does not divide the image.
   */
  @Override
  public Stepper begin(Batch batch) {
    Device device = batch.start().device();
    return new RelayMultistepStepper(
        form,
        batch,
        new RelayNoise(options, batch.noise(), batch.start().dtype()),
        PatchDct.of(options.upScale(), DType.FLOAT64, device),
        RelayMultistepTable.of(options, fresh(), batch.levels(), device));
  }

  /** Returns the fraction of the noise that a step replaces. */
  private double fresh() {
    return switch (form) {
      case DETERMINISTIC -> 0;
      case STOCHASTIC -> options.noise();
    };
  }
}
