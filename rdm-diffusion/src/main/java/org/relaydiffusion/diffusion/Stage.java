// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.Optional;
import org.relaydiffusion.model.Denoiser;

/**
 * The networks of one stage of a pipeline: the first stage starts from noise, each further one from
 * the enlarged images of the stage before it.
 *
 * @param index its place in the pipeline, from 0
 * @param network the network
 * @param guide a weaker network of the same shape, for autoguidance
 */
public record Stage(int index, Denoiser network, Optional<Denoiser> guide) {
  /** Creates a stage without a guide network. */
  public Stage(int index, Denoiser network) {
    this(index, network, Optional.empty());
  }

  /** Returns the ordinal of the stage, such as {@code first}. */
  public String name() {
    return StageNames.of(index);
  }
}
