// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Functional.Beyond;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Bilinear interpolation as in TensorFlow 1, without half-pixel centres: pixel i of the result is
 * sampled at {@code i * size / 299}. The network was trained on such images; another resize gives
 * different features.
 */
final class TfResize {
  private static final float RESULT = InceptionV3.RESOLUTION;

  private TfResize() {}

  /**
   * Resizes images of any size to the network's resolution.
   *
   * @param images float32 [N, C, H, W]
   * @return [N, C, 299, 299]
   */
  static Tensor apply(Tensor images) {
    float right = 1f / images.size(3) - 1f / RESULT;
    float down = 1f / images.size(2) - 1f / RESULT;
    int size = InceptionV3.RESOLUTION;
    try (TensorScope scope = TensorScope.open()) {
      Tensor theta =
          Torch.tensor(new float[] {1, 0, right, 0, 1, down}, 1, 2, 3).to(images.device());
      Tensor grid = Functional.affineGrid(theta, 1, images.size(1), size, size);
      Tensor grids = Shapes.expand(grid, images.size(0), size, size, 2);
      return scope.keep(Functional.gridSampleBilinear(images, grids, Beyond.BORDER));
    }
  }
}
