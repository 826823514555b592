// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.PackedConv2d;
import org.relaydiffusion.torch.Padding2d;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * A 3x3 convolution of an image whose pixels are first repeated 2x2, without making that image. Of
 * the nine pixels under the kernel at most four differ, so each of the four places of a pixel's
 * repetitions is a 2x2 convolution of the small image, with sums of the weights: 16 products for
 * 36.
 */
final class UpsampledConv2d implements AutoCloseable {
  private static final int PHASES = 4;

  private final AdaptiveConv2d phases;
  private final int out;

  private UpsampledConv2d(AdaptiveConv2d phases, int out) {
    this.phases = phases;
    this.out = out;
  }

  /**
   * Packs the four convolutions as one.
   *
   * @param weight [O, C, 3, 3] in float32, so that sums are rounded once
   * @param bias [O], or none
   * @param wanted the type to compute in
   * @param resolution width and height of the small images
   */
  static UpsampledConv2d pack(
      Tensor weight, @Nullable Tensor bias, Execution.Packed wanted, int resolution) {
    try (TensorScope _ = TensorScope.open()) {
      List<Tensor> weights = new ArrayList<>();
      for (int row = 0; row < 2; row++) {
        for (int column = 0; column < 2; column++) {
          weights.add(merged(merged(weight, 2, row), 3, column));
        }
      }
      Tensor all = Shapes.cat(weights, 0).to(wanted.dtype());
      Tensor biases = bias == null ? null : Shapes.repeat(bias.to(wanted.dtype()), PHASES);
      PackedConv2d.Geometry geometry =
          new PackedConv2d.Geometry(
              1, new Padding2d(1, 1), 1, resolution, resolution, PackedConv2d.Activation.NONE);
      PackedConv2d packed = PackedConv2d.pack(all, biases, geometry);
      return new UpsampledConv2d(new AdaptiveConv2d(packed), Math.toIntExact(weight.size(0)));
    }
  }

  /** Three taps along one axis as the two that a repetition sees: (a, b + c) or (a + b, c). */
  private static Tensor merged(Tensor weight, int axis, int repetition) {
    Tensor first = Shapes.narrow(weight, axis, 0, 1);
    Tensor middle = Shapes.narrow(weight, axis, 1, 1);
    Tensor last = Shapes.narrow(weight, axis, 2, 1);
    return Shapes.cat(
        repetition == 0 ? List.of(first, middle.add(last)) : List.of(first.add(middle), last),
        axis);
  }

  /** [N, C, H, W] in channels-last order to [N, O, 2H, 2W] in the same. */
  Tensor apply(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      long n = x.size(0);
      long h = x.size(2);
      long w = x.size(3);
      // Above, below, left and right of the image there is one position more than is needed.
      Tensor all = phases.apply(x);
      long[] strides = {4 * h * w * out, 1, 2 * w * out, out};
      Tensor y =
          Torch.emptyStrided(x.dtype(), x.device(), new long[] {n, out, 2 * h, 2 * w}, strides);
      Tensor places = y.reshape(n, out, h, 2, w, 2);
      for (int phase = 0; phase < PHASES; phase++) {
        int row = phase / 2;
        int column = phase % 2;
        Tensor made = Shapes.narrow(all, 1, (long) phase * out, out);
        Tensor from = Shapes.narrow(Shapes.narrow(made, 2, row, h), 3, column, w);
        Shapes.select(Shapes.select(places, 5, column), 3, row).copyFrom(from);
      }
      return scope.keep(y);
    }
  }

  @Override
  public void close() {
    phases.close();
  }
}
