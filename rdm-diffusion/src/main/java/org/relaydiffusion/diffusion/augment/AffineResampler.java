// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Applies affine maps to images without aliasing (arXiv 2006.06676, appendix B.2): images are
 * padded by reflection, upsampled by two, sampled bilinearly on a grid of twice the density, and
 * downsampled by two.
 */
final class AffineResampler {
  private AffineResampler() {}

  /**
   * Transforms each image.
   *
   * @param images float32 [N, C, H, W]
   * @param sources for each image the map from a position in the result to a position in the image,
   *     in pixels from the centre
   * @return [N, C, H, W]; an image whose map is the identity is returned unchanged, bit for bit
   */
  static Tensor apply(Tensor images, List<Affine> sources) {
    long[] moved = moved(sources);
    if (moved.length == 0) {
      return images.reshape(images.shape());
    }
    try (TensorScope scope = TensorScope.open()) {
      // The margin of the whole batch, as in the reference: it matters at the limit of reflection.
      Margin margin = Margin.of(sources, (int) images.size(3), (int) images.size(2));
      if (moved.length == sources.size()) {
        return scope.keep(resampled(images, sources, margin));
      }
      Tensor index = Torch.tensor(moved, moved.length).to(images.device());
      List<Affine> maps = Arrays.stream(moved).mapToObj(i -> sources.get((int) i)).toList();
      Tensor results = resampled(Shapes.indexSelect(images, 0, index), maps, margin);
      return scope.keep(Shapes.indexCopy(images, 0, index, results));
    }
  }

  private static long[] moved(List<Affine> sources) {
    return LongStream.range(0, sources.size())
        .filter(i -> !sources.get((int) i).isIdentity())
        .toArray();
  }

  private static Tensor resampled(Tensor images, List<Affine> sources, Margin margin) {
    long n = images.size(0);
    long c = images.size(1);
    int height = (int) images.size(2);
    int width = (int) images.size(3);
    try (TensorScope scope = TensorScope.open()) {
      Tensor padded =
          Functional.reflectionPad2d(
              images, margin.left(), margin.right(), margin.top(), margin.bottom());
      Tensor doubled = Sym6.doubled(padded);
      padded.close();
      int gridWidth = 2 * width + Sym6.TAPS - 2;
      int gridHeight = 2 * height + Sym6.TAPS - 2;
      float[] maps = new float[6 * sources.size()];
      for (int i = 0; i < sources.size(); i++) {
        Affine map =
            fromGrid(gridWidth, gridHeight)
                .then(sources.get(i))
                .then(toDoubled(margin, width, height));
        double[] rows = {map.xx(), map.xy(), map.x0(), map.yx(), map.yy(), map.y0()};
        for (int k = 0; k < 6; k++) {
          maps[6 * i + k] = (float) rows[k];
        }
      }
      Tensor theta = Torch.tensor(maps, n, 2, 3).to(images.device());
      Tensor grid = Functional.affineGrid(theta, n, c, gridHeight, gridWidth);
      Tensor sampled = Functional.gridSampleBilinear(doubled, grid, Functional.Beyond.ZEROS);
      doubled.close();
      grid.close();
      return scope.keep(Sym6.halved(sampled));
    }
  }

  /**
   * Maps the coordinates of the grid, -1 to 1 from edge to edge, to pixels from the centre of the
   * result. Element m of the grid is at (m - BEFORE) / 2 pixels from the first pixel: with the
   * grid's size of 2W + 10, at size / 4 b + 1 / 4 from the centre.
   */
  private static Affine fromGrid(int gridWidth, int gridHeight) {
    return Affine.scale(gridWidth / 4.0, gridHeight / 4.0).then(Affine.translate(0.25, 0.25));
  }

  /**
   * Maps pixels from the centre of the image to -1 to 1 from edge to edge of the padded and
   * upsampled image, whose element 2i is pixel i.
   */
  private static Affine toDoubled(Margin margin, int width, int height) {
    double paddedWidth = width + margin.left() + margin.right();
    double paddedHeight = height + margin.top() + margin.bottom();
    double x = (width + 2 * margin.left() - 0.5) / paddedWidth - 1;
    double y = (height + 2 * margin.top() - 0.5) / paddedHeight - 1;
    return Affine.scale(2 / paddedWidth, 2 / paddedHeight).then(Affine.translate(x, y));
  }

  /** Returns the number of pixels padded at each edge. */
  private record Margin(int left, int right, int top, int bottom) {
    /**
     * The distance of the farthest corner of all results, plus twice the support of the filter, for
     * upsampling and downsampling. An image can be reflected only once.
     */
    static Margin of(List<Affine> sources, int width, int height) {
      double cornerX = (width - 1) / 2.0;
      double cornerY = (height - 1) / 2.0;
      double left = 0;
      double right = 0;
      double top = 0;
      double bottom = 0;
      for (Affine map : sources) {
        for (int corner = 0; corner < 4; corner++) {
          double x = corner % 2 == 0 ? -cornerX : cornerX;
          double y = corner < 2 ? -cornerY : cornerY;
          left = Math.max(left, -map.x(x, y));
          right = Math.max(right, map.x(x, y));
          top = Math.max(top, -map.y(x, y));
          bottom = Math.max(bottom, map.y(x, y));
        }
      }
      return new Margin(
          pixels(left - cornerX, width),
          pixels(right - cornerX, width),
          pixels(top - cornerY, height),
          pixels(bottom - cornerY, height));
    }

    private static int pixels(double beyond, int size) {
      return (int) Math.ceil(Math.clamp(beyond + 2 * Sym6.REACH, 0, size - 1));
    }
  }
}
