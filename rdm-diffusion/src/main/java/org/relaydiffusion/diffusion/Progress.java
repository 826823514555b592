// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.List;
import org.relaydiffusion.diffusion.image.PixelValues;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.sampler.Preview;
import org.relaydiffusion.torch.TensorScope;

/**
 * The progress of a run after a step of a sampler.
 *
 * @param stage the index of the stage of the step, from 0
 * @param step number of finished steps of this stage for this batch, from 1
 * @param steps number of steps of this stage
 * @param batch the current batch, from 0
 * @param batches number of batches of this process
 * @param imagesDone number of images finished before this batch
 * @param images number of images of this process
 * @param preview the images as the network now predicts them; valid during the call
 */
public record Progress(
    int stage,
    int step,
    int steps,
    int batch,
    int batches,
    long imagesDone,
    long images,
    Preview preview) {
  /**
   * Returns the images of the batch as the network now predicts them, at the resolution of the
   * stage and without post-processing. They are copied from the device, which waits for it.
   */
  public List<Pixels> pictures() {
    try (TensorScope _ = TensorScope.open()) {
      return PixelValues.pictures(preview.denoised());
    }
  }
}
