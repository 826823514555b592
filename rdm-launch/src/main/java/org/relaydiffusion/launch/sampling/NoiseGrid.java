// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.Optional;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.RelayPipeline;
import org.relaydiffusion.diffusion.Stage;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.LaunchGrid;

/** The launch grid of the GPU that draws the noise, where the numbers depend on it. */
final class NoiseGrid {
  private NoiseGrid() {}

  /**
   * Returns the grid of the run's device.
   *
   * @return empty where the noise is not the device's own, and where every GPU draws the same for
   *     images of this size
   */
  static Optional<LaunchGrid> of(SamplingJob.Runtime runtime, RelayPipeline pipeline) {
    long elements =
        pipeline.stages().stream()
            .map(Stage::network)
            .mapToLong(NoiseGrid::elements)
            .max()
            .orElse(0);
    boolean isDrawnThere = runtime.noise().on(runtime.device()) instanceof Noise.OfCuda;
    return isDrawnThere
        ? LaunchGrid.of(runtime.device()).filter(grid -> grid.limits(elements))
        : Optional.empty();
  }

  private static long elements(Denoiser network) {
    return (long) network.channels() * network.resolution() * network.resolution();
  }
}
