package org.relaydiffusion.diffusion.augment;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;

/**
 * The random values of one batch. Each operation draws its value for every image, then whether it
 * happens; a value that does not happen is 0, which changes nothing.
 *
 * @param generator drawn from
 * @param images N
 */
record AugmentDraws(Generator generator, int images) {
  /** Standard normal values, {@code rows} for an image, row by row. */
  float[] normal(int rows) {
    try (Tensor t = generator.randn(DType.FLOAT32, (long) rows * images)) {
      return t.toFloats();
    }
  }

  /** Uniform values in [-1, 1), {@code rows} for an image, row by row. */
  float[] symmetric(int rows) {
    float[] values = uniform(rows);
    for (int i = 0; i < values.length; i++) {
      values[i] = values[i] * 2 - 1;
    }
    return values;
  }

  /** Angles, uniform in [-limit, limit) half turns, in radians. */
  float[] angles(double limit) {
    float[] values = symmetric(1);
    float scale = (float) (Math.PI * limit);
    for (int i = 0; i < values.length; i++) {
      values[i] *= scale;
    }
    return values;
  }

  /** Uniform integers in [0, bound). */
  float[] integers(int bound) {
    try (Tensor t = generator.randint(bound, images)) {
      return t.toFloats();
    }
  }

  /** Keeps each image's values with the given probability, else makes them 0; returns them. */
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
