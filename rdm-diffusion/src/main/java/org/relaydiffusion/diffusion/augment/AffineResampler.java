// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.relaydiffusion.diffusion.transfer.HostValues;
import org.relaydiffusion.diffusion.transfer.HostValues.Sent;
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
   * Prepares to transform each image.
   *
   * @param values takes what is needed on the device of the images
   * @param sources for each image the map from a position in the result to a position in the image,
   *     in pixels from the centre
   * @param shape of the images: [N, C, H, W]
   * @return transforms float32 images of the shape, once the values have been sent; an image whose
   *     map is the identity is returned unchanged, bit for bit
   */
  static UnaryOperator<Tensor> prepare(HostValues values, List<Affine> sources, long[] shape) {
    long[] moved = moved(sources);
    if (moved.length == 0) {
      return images -> images.reshape(images.shape());
    }
    int height = Math.toIntExact(shape[2]);
    int width = Math.toIntExact(shape[3]);
    // The margin of the whole batch, as in the reference: it matters at the limit of reflection.
    Margin margin = Margin.of(sources, width, height);
    if (moved.length == sources.size()) {
      return resampling(values, sources, margin, width, height);
    }
    Sent index = values.add(Torch.tensor(moved, moved.length));
    List<Affine> maps = Arrays.stream(moved).mapToObj(i -> sources.get((int) i)).toList();
    UnaryOperator<Tensor> some = resampling(values, maps, margin, width, height);
    return images -> {
      try (TensorScope scope = TensorScope.open()) {
        Tensor results = some.apply(Shapes.indexSelect(images, 0, index.get()));
        return scope.keep(Shapes.indexCopy(images, 0, index.get(), results));
      }
    };
  }

  private static long[] moved(List<Affine> sources) {
    return LongStream.range(0, sources.size())
        .filter(i -> !sources.get((int) i).isIdentity())
        .toArray();
  }

  private static UnaryOperator<Tensor> resampling(
      HostValues values, List<Affine> sources, Margin margin, int width, int height) {
    int gridWidth = 2 * width + Sym6.TAPS - 2;
    int gridHeight = 2 * height + Sym6.TAPS - 2;
    Affine first = fromGrid(gridWidth, gridHeight);
    Affine last = toDoubled(margin, width, height);
    float[] maps = new float[6 * sources.size()];
    for (int i = 0; i < sources.size(); i++) {
      Affine map = first.then(sources.get(i)).then(last);
      double[] rows = {map.xx(), map.xy(), map.x0(), map.yx(), map.yy(), map.y0()};
      for (int k = 0; k < 6; k++) {
        maps[6 * i + k] = (float) rows[k];
      }
    }
    Sent theta = values.add(Torch.tensor(maps, sources.size(), 2, 3));
    UnaryOperator<Tensor> doubling =
        Sym6.doubling(
            values,
            width + margin.left() + margin.right(),
            height + margin.top() + margin.bottom());
    UnaryOperator<Tensor> halving = Sym6.halving(values, width, height);
    return images -> {
      try (TensorScope scope = TensorScope.open()) {
        Tensor padded =
            Functional.reflectionPad2d(
                images, margin.left(), margin.right(), margin.top(), margin.bottom());
        Tensor doubled = doubling.apply(padded);
        padded.close();
        Tensor grid =
            Functional.affineGrid(
                theta.get(), images.size(0), images.size(1), gridHeight, gridWidth);
        Tensor sampled = Functional.gridSampleBilinear(doubled, grid, Functional.Beyond.ZEROS);
        doubled.close();
        grid.close();
        return scope.keep(halving.apply(sampled));
      }
    };
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
