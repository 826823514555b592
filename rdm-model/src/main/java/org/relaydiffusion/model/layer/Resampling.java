// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.List;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;

/** Doubling and halving images with a fixed low-pass filter, channel by channel. */
final class Resampling {
  private static final List<Integer> BOX = List.of(1, 1);

  private final Resample kind;
  private final List<Integer> taps;
  private final Parameter filter;

  /**
   * Made by the convolution that owns the filter.
   *
   * @param kind up or down
   * @param taps the one-dimensional filter
   * @param filter [1, 1, taps, taps], in float32
   */
  Resampling(Resample kind, List<Integer> taps, Parameter filter) {
    this.kind = kind;
    this.taps = taps;
    this.filter = filter;
  }

  /** The two-dimensional filter of one-dimensional taps, with the sum 1: [1, 1, taps, taps]. */
  static Tensor outerFilter(List<Integer> taps) {
    double sum = taps.stream().mapToInt(Integer::intValue).sum();
    float[] outer = new float[taps.size() * taps.size()];
    for (int i = 0; i < outer.length; i++) {
      outer[i] = (float) (taps.get(i / taps.size()) * taps.get(i % taps.size()) / (sum * sum));
    }
    return Torch.tensor(outer, 1, 1, taps.size(), taps.size());
  }

  /** How far the filter reaches beyond an image. */
  int padding() {
    return (taps.size() - 1) / 2;
  }

  /** Whether it repeats each pixel 2x2. */
  boolean repeats() {
    return kind == Resample.UP && taps.equals(BOX);
  }

  /** As the reference does it: a convolution with the filter. */
  Tensor filtered(Tensor x) {
    return switch (kind) {
      case NONE -> x;
      case UP -> up(x, padding());
      case DOWN -> down(x, padding());
    };
  }

  /** The filter [1, 1] as what it is, repetition going up and a mean going down; else as above. */
  Tensor fast(Tensor x) {
    if (!taps.equals(BOX)) {
      return filtered(x);
    }
    return switch (kind) {
      case NONE -> x;
      case UP -> Functional.upsampleNearest(x, 2 * x.size(2), 2 * x.size(3));
      case DOWN -> Functional.averagePool(x, 2);
    };
  }

  Tensor up(Tensor x, int padding) {
    int c = Math.toIntExact(x.size(1));
    Tensor f = Shapes.repeat(filter.value().to(x.dtype()).mul(4), c, 1, 1, 1);
    return Functional.convTranspose2d(x, f, null, 2, padding, c);
  }

  Tensor down(Tensor x, int padding) {
    int c = Math.toIntExact(x.size(1));
    Tensor f = Shapes.repeat(filter.value().to(x.dtype()), c, 1, 1, 1);
    return Functional.conv2d(x, f, null, 2, padding, c);
  }
}
