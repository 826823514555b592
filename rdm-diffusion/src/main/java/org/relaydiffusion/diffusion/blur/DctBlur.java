// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import org.relaydiffusion.diffusion.schedule.BlurSchedule;
import org.relaydiffusion.diffusion.transfer.HostValues;
import org.relaydiffusion.diffusion.transfer.HostValues.Sent;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Heat dissipation within each patch of an image: the blur that the second stage learns to remove
 * (arXiv 2309.03350, section 3.1).
 *
 * @param patchSize s, the side of a patch in pixels
 * @param minScale the factor that remains at the highest frequencies
 */
public record DctBlur(int patchSize, double minScale) {
  /** Creates a blur with the reference's {@link BlurSchedule#DEFAULT_MIN_SCALE}. */
  public DctBlur(int patchSize) {
    this(patchSize, BlurSchedule.DEFAULT_MIN_SCALE);
  }

  /**
   * Blurs each image with its own standard deviation.
   *
   * @param x [N, C, H, W]; s must divide H and W
   * @param blurSigmas [N, 1, 1, 1], in pixels
   * @param numerics selects the transform
   * @return [N, C, H, W], in the current scope
   */
  public Tensor apply(Tensor x, Tensor blurSigmas, Numerics numerics) {
    Patches.check(x, patchSize);
    try (var scope = TensorScope.open()) {
      // All constants go to the device in one copy, which nothing waits for.
      HostValues constants = new HostValues(x.device());
      Sent squares = constants.add(Damping.squares(patchSize));
      PatchTransform transform = PatchTransform.of(constants, patchSize, x.dtype(), numerics);
      constants.send();
      Tensor tiles = Damping.tiles(squares.get(), blurSigmas, minScale);
      Tensor factors = Shapes.repeat(tiles, 1, 1, x.size(2) / patchSize, x.size(3) / patchSize);
      return scope.keep(transform.invert(transform.transform(x).mul(factors)));
    }
  }
}
