// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Splits images into square patches, and joins them. Results are new tensors in the current scope.
 */
public final class Patches {
  private Patches() {}

  /**
   * Splits images into patches, image by image, row by row.
   *
   * @param x [N, C, H, W]
   * @param patchSize s, which must divide H and W
   * @return [N (H/s) (W/s), C, s, s]
   * @throws RdmException if the patch size does not divide the image
   */
  public static Tensor cut(Tensor x, int patchSize) {
    check(x, patchSize);
    long s = patchSize;
    long rows = x.size(2) / s;
    long columns = x.size(3) / s;
    try (var scope = TensorScope.open()) {
      Tensor grid = x.reshape(x.size(0), x.size(1), rows, s, columns, s);
      Tensor patches = Shapes.permute(grid, 0, 2, 4, 1, 3, 5);
      return scope.keep(patches.reshape(-1, x.size(1), s, s));
    }
  }

  /**
   * Joins patches; the inverse of {@link #cut}.
   *
   * @param patches [N (H/s) (W/s), C, s, s]
   * @param height H
   * @param width W
   * @return [N, C, H, W]
   */
  public static Tensor join(Tensor patches, int height, int width) {
    long s = patches.size(3);
    long c = patches.size(1);
    long rows = height / s;
    long columns = width / s;
    try (var scope = TensorScope.open()) {
      Tensor grid = patches.reshape(-1, rows, columns, c, s, s);
      Tensor images = Shapes.permute(grid, 0, 3, 1, 4, 2, 5);
      return scope.keep(images.reshape(-1, c, height, width));
    }
  }

  /** Rejects images that cannot be split. */
  static void check(Tensor x, int patchSize) {
    if (x.rank() != 4) {
      throw new RdmException("images must be [N, C, H, W], but found " + x.describe());
    }
    if (patchSize < 1 || x.size(2) % patchSize != 0 || x.size(3) % patchSize != 0) {
      throw new OptionException(
          "the patch size (up_scale) of %s does not divide the image size %s x %s"
              .formatted(patchSize, x.size(3), x.size(2)));
    }
  }
}
