// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
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
      Tensor theta = theta(right, down, images.device());
      Tensor grid = Functional.affineGrid(theta, 1, images.size(1), size, size);
      Tensor grids = Shapes.expand(grid, images.size(0), size, size, 2);
      return scope.keep(Functional.gridSampleBilinear(images, grids, Beyond.BORDER));
    }
  }

  /** The map (x, y) to (x + right, y + down): kernels write it, so that nothing is copied. */
  private static Tensor theta(float right, float down, Device device) {
    float[] elements = {1, 0, right, 0, 1, down};
    List<Tensor> filled = new ArrayList<>();
    for (float element : elements) {
      filled.add(Torch.full(element, DType.FLOAT32, device, 1));
    }
    return Shapes.cat(filled, 0).reshape(1, 2, 3);
  }
}
