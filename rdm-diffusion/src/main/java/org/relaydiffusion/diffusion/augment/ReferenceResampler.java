// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.relaydiffusion.diffusion.transfer.HostValues;
import org.relaydiffusion.diffusion.transfer.HostValues.Sent;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Padding2d;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Stride2d;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Performs the task of {@link AffineResampler} with the reference's operations: all images of a
 * batch are filtered, including images that are not transformed, which are then changed by
 * rounding.
 */
final class ReferenceResampler {
  private static final int TAPS = Sym6.TAPS;

  private ReferenceResampler() {}

  /**
   * Prepares to transform each image.
   *
   * @param values takes what is needed on the device of the images
   * @param sources for each image the map from a position in the result to a position in the image,
   *     in pixels from the centre: float32 [N, 3, 3] on the CPU
   * @param shape of the images: [N, C, H, W]
   * @return transforms float32 images of the shape, once the values have been sent
   */
  static UnaryOperator<Tensor> prepare(HostValues values, Tensor sources, long[] shape) {
    int channels = Math.toIntExact(shape[1]);
    int height = Math.toIntExact(shape[2]);
    int width = Math.toIntExact(shape[3]);
    Margin m = Margin.of(sources, width, height);
    // From the centre of the result to that of the padded image, in elements of twice the density;
    // then to coordinates relative to the edges of the grid.
    Tensor map =
        product(AffineMaps.translate((m.left - m.right) / 2.0, (m.top - m.bottom) / 2.0), sources);
    map = product(AffineMaps.scale(2, 2), map, AffineMaps.scale(0.5, 0.5));
    map = product(AffineMaps.translate(-0.5, -0.5), map, AffineMaps.translate(0.5, 0.5));
    int gridWidth = 2 * (width + 2 * Sym6.REACH);
    int gridHeight = 2 * (height + 2 * Sym6.REACH);
    long doubledWidth = 2L * (width + m.left + m.right);
    long doubledHeight = 2L * (height + m.top + m.bottom);
    map =
        product(
            AffineMaps.scale(2.0 / doubledWidth, 2.0 / doubledHeight),
            map,
            AffineMaps.scale(1 / (2.0 / gridWidth), 1 / (2.0 / gridHeight)));
    Sent theta = values.add(AffineMaps.rows(map));
    Tensor filter = Sym6.filter();
    Tensor reversed = Shapes.flip(filter, 0);
    Sent wider = weight(values, reversed, 3, channels);
    Sent higher = weight(values, reversed, 2, channels);
    Sent narrower = weight(values, filter, 3, channels);
    Sent lower = weight(values, filter, 2, channels);
    return images -> {
      try (TensorScope scope = TensorScope.open()) {
        Tensor x = Functional.reflectionPad2d(images, m.left, m.right, m.top, m.bottom);
        x = doubled(x, 3, wider.get());
        x = doubled(x, 2, higher.get());
        Tensor grid =
            Functional.affineGrid(
                theta.get(), images.size(0), images.size(1), gridHeight, gridWidth);
        x = Functional.gridSampleBilinear(x, grid, Functional.Beyond.ZEROS);
        x = halved(x, 3, narrower.get(), width);
        return scope.keep(halved(x, 2, lower.get(), height));
      }
    };
  }

  private static Tensor product(Tensor first, Tensor... others) {
    Tensor product = first;
    for (Tensor other : others) {
      product = LinearAlgebra.matmul(product, other);
    }
    return product;
  }

  /** A filter along one axis, for each channel. */
  private static Sent weight(HostValues values, Tensor filter, int axis, int channels) {
    return values.add(
        Shapes.repeat(
            axis == 3 ? filter.reshape(1, 1, 1, TAPS) : filter.reshape(1, 1, TAPS, 1),
            channels,
            1,
            1,
            1));
  }

  /** Inserts zeros between the elements along one axis, and applies the reversed filter. */
  private static Tensor doubled(Tensor x, int axis, Tensor weight) {
    long[] shape = x.shape();
    shape[axis] *= 2;
    Tensor spread = Torch.stack(List.of(x, Torch.zerosLike(x)), axis + 1).reshape(shape);
    return filtered(
        Shapes.narrow(spread, axis, 0, shape[axis] - 1), weight, axis, 1, (TAPS + 1) / 2);
  }

  /** Applies the filter at every second element along one axis, without the padding. */
  private static Tensor halved(Tensor x, int axis, Tensor weight, int size) {
    Tensor y = filtered(x, weight, axis, 2, (TAPS - 1) / 2);
    return Shapes.narrow(y, axis, Sym6.REACH, size);
  }

  private static Tensor filtered(Tensor x, Tensor weight, int axis, int step, int padding) {
    boolean across = axis == 3;
    return Functional.conv2d(
        x,
        weight,
        null,
        across ? new Stride2d(1, step) : new Stride2d(step, 1),
        across ? new Padding2d(0, padding) : new Padding2d(padding, 0),
        Math.toIntExact(x.size(1)));
  }

  /** Returns the number of pixels padded at each edge, as in {@link AffineResampler}. */
  private record Margin(int left, int top, int right, int bottom) {
    static Margin of(Tensor sources, int width, int height) {
      float x = (float) ((width - 1) / 2.0);
      float y = (float) ((height - 1) / 2.0);
      Tensor corners = Torch.tensor(new float[] {-x, -y, 1, x, -y, 1, x, y, 1, -x, y, 1}, 4, 3);
      // [N, 3, 4]: the source positions of the corners of the result.
      float[] places =
          LinearAlgebra.matmul(sources, Shapes.transpose(corners, 0, 1)).contiguous().toFloats();
      float[] farthest = new float[4];
      Arrays.fill(farthest, Float.NEGATIVE_INFINITY);
      for (int i = 0; i < places.length; i++) {
        int axis = i / 4 % 3;
        if (axis < 2) {
          farthest[axis] = Math.max(farthest[axis], -places[i]);
          farthest[axis + 2] = Math.max(farthest[axis + 2], places[i]);
        }
      }
      return new Margin(
          pixels(farthest[0], width),
          pixels(farthest[1], height),
          pixels(farthest[2], width),
          pixels(farthest[3], height));
    }

    private static int pixels(float farthest, int size) {
      float beyond = farthest + (float) (2 * Sym6.REACH - (size - 1) / 2.0);
      return (int) Math.ceil(Math.clamp(beyond, 0f, size - 1f));
    }
  }
}
