// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.model.Denoiser;

/** A solver of a stage that starts from noise, between the noise levels of its options. */
interface EdmSolver extends Solver {
  /** Returns the options. */
  EdmOptions options();

  @Override
  default NoiseLevels levels(Denoiser net) {
    return NoiseLevels.of(options(), net);
  }
}
