// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The random values of one batch. Each operation draws its values for all images, then whether it
 * is applied; the value of an operation that is not applied is 0, which has no effect. All of them
 * are drawn on the generator's device before {@link #read} reads them back, once.
 */
final class AugmentDraws {
  private final Generator generator;
  private final int images;
  private final List<Tensor> drawn = new ArrayList<>();
  private int count;
  private float[] read = {};

  /**
   * Creates the draws of a batch.
   *
   * @param generator the source of random numbers
   * @param images N
   */
  AugmentDraws(Generator generator, int images) {
    this.generator = generator;
    this.images = images;
  }

  /** Values that are known once all have been read. */
  @FunctionalInterface
  interface Drawn {
    /** What an operation that is not enabled has drawn. */
    Drawn NONE = () -> new float[0];

    /** Returns a new array. */
    float[] values();
  }

  /** Returns the number of images. */
  int images() {
    return images;
  }

  /** Draws standard normal values, {@code rows} per image, row by row. */
  Drawn normal(int rows) {
    return later(generator.randn(DType.FLOAT32, (long) rows * images));
  }

  /** Draws uniform values in [-1, 1), {@code rows} per image, row by row. */
  Drawn symmetric(int rows) {
    Drawn uniform = uniform(rows);
    return () -> {
      float[] values = uniform.values();
      for (int i = 0; i < values.length; i++) {
        values[i] = values[i] * 2 - 1;
      }
      return values;
    };
  }

  /** Draws angles, uniform in [-limit, limit) half turns, in radians. */
  Drawn angles(double limit) {
    Drawn symmetric = symmetric(1);
    float scale = (float) (Math.PI * limit);
    return () -> {
      float[] values = symmetric.values();
      for (int i = 0; i < values.length; i++) {
        values[i] *= scale;
      }
      return values;
    };
  }

  /** Draws uniform integers in [0, bound). */
  Drawn integers(int bound) {
    try (Tensor whole = generator.randint(bound, images)) {
      return later(whole.to(DType.FLOAT32));
    }
  }

  /** Keeps the values of each image with the given probability and otherwise sets them to 0. */
  Drawn keep(Drawn all, double probability) {
    Drawn chances = uniform(1);
    float below = (float) probability;
    return () -> {
      float[] values = all.values();
      float[] chance = chances.values();
      for (int i = 0; i < values.length; i++) {
        values[i] = chance[i % images] < below ? values[i] : 0;
      }
      return values;
    };
  }

  private Drawn uniform(int rows) {
    return later(generator.rand(DType.FLOAT32, (long) rows * images));
  }

  private Drawn later(Tensor values) {
    int from = count;
    int to = Math.toIntExact(from + values.numel());
    drawn.add(values);
    count = to;
    return () -> {
      if (to > read.length) {
        throw new IllegalStateException("the draws have not been read");
      }
      return Arrays.copyOfRange(read, from, to);
    };
  }

  /** Reads all values from the device: the only time that a batch waits for it. */
  void read() {
    try (TensorScope _ = TensorScope.open()) {
      read = drawn.isEmpty() ? read : Shapes.cat(drawn, 0).toFloats();
    }
    drawn.forEach(Tensor::close);
    drawn.clear();
  }
}
