// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.util.Arrays;
import java.util.Objects;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * {@code synthetic:shapes}: a procedural, labelled data set. Each image shows one large shape of
 * eight classes ({@link ShapeClass}) with random colours, position, size, angle and texture on a
 * smooth background. Image i has label i mod 8 and depends only on the seed and i, not on the
 * number of images or their size, so sets of two sizes with the same seed show the same scenes.
 */
public final class SyntheticShapes implements ImageSource {
  /** The name of this source on the command line. */
  public static final String NAME = "synthetic:shapes";

  private static final int LARGEST = 4096;

  private final int images;
  private final int resolution;
  private final long seed;

  /**
   * Creates a set; images are rendered when they are read.
   *
   * @param images number of images, at least 1
   * @param resolution side in pixels, a power of two up to 4096
   * @param seed of the set, any number
   * @throws OptionException if one of them is out of range
   */
  public SyntheticShapes(int images, int resolution, long seed) {
    if (images < 1) {
      throw new OptionException(
          NAME + ": the number of images must be at least 1, but is " + images);
    }
    if (resolution < 1 || resolution > LARGEST || Integer.bitCount(resolution) != 1) {
      throw new OptionException(
          "the resolution of %s must be a power of two up to %s, but is %s"
              .formatted(NAME, LARGEST, resolution));
    }
    this.images = images;
    this.resolution = resolution;
    this.seed = seed;
  }

  @Override
  public int size() {
    return images;
  }

  @Override
  public Pixels read(int index) {
    return ShapeRenderer.draw(ShapeScene.of(seed, Objects.checkIndex(index, images)), resolution);
  }

  @Override
  public ItemLabels labels() {
    long[] classes = new long[images];
    Arrays.setAll(classes, i -> i % ShapeClass.values().length);
    return ItemLabels.Classes.of(classes);
  }

  @Override
  public String name(int index) {
    return NAME + "/" + index;
  }

  @Override
  public void close() {}
}
