// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;

/**
 * The random values of one batch. Each operation draws its values for all images, then whether it
 * is applied; the value of an operation that is not applied is 0, which has no effect.
 *
 * @param generator the source of random numbers
 * @param images N
 */
record AugmentDraws(Generator generator, int images) {
  /** Draws standard normal values, {@code rows} per image, row by row. */
  float[] normal(int rows) {
    try (Tensor t = generator.randn(DType.FLOAT32, (long) rows * images)) {
      return t.toFloats();
    }
  }

  /** Draws uniform values in [-1, 1), {@code rows} per image, row by row. */
  float[] symmetric(int rows) {
    float[] values = uniform(rows);
    for (int i = 0; i < values.length; i++) {
      values[i] = values[i] * 2 - 1;
    }
    return values;
  }

  /** Draws angles, uniform in [-limit, limit) half turns, in radians. */
  float[] angles(double limit) {
    float[] values = symmetric(1);
    float scale = (float) (Math.PI * limit);
    for (int i = 0; i < values.length; i++) {
      values[i] *= scale;
    }
    return values;
  }

  /** Draws uniform integers in [0, bound). */
  float[] integers(int bound) {
    try (Tensor t = generator.randint(bound, images)) {
      return t.toFloats();
    }
  }

  /**
   * Keeps the values of each image with the given probability and otherwise sets them to 0; returns
   * them.
   */
  float[] keep(float[] values, double probability) {
    float[] chances = uniform(1);
    float below = (float) probability;
    for (int i = 0; i < values.length; i++) {
      values[i] = chances[i % images] < below ? values[i] : 0;
    }
    return values;
  }

  private float[] uniform(int rows) {
    try (Tensor t = generator.rand(DType.FLOAT32, (long) rows * images)) {
      return t.toFloats();
    }
  }
}
