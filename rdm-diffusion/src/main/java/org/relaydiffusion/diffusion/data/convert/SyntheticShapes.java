package org.relaydiffusion.diffusion.data.convert;

import java.util.Arrays;
import java.util.Objects;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * {@code synthetic:shapes}: a procedural, labelled data set. Each picture shows one large shape of
 * eight classes ({@link ShapeClass}) with random colours, place, size, angle and texture on a
 * smooth background. Picture i has label i mod 8 and depends on the seed and i alone: neither on
 * the count nor on the size, so sets of two sizes with one seed show the same scenes.
 */
public final class SyntheticShapes implements ImageSource {
  /** How a command line asks for this source. */
  public static final String NAME = "synthetic:shapes";

  private static final int LARGEST = 4096;

  private final int images;
  private final int resolution;
  private final long seed;

  /**
   * Describes a set; pictures are drawn when they are read.
   *
   * @param images how many, at least 1
   * @param resolution side in pixels, a power of two up to 4096
   * @param seed of the set, any number
   * @throws OptionException when one of them is out of range
   */
  public SyntheticShapes(int images, int resolution, long seed) {
    if (images < 1) {
      throw new OptionException(NAME + ": the number of images must be at least 1, not " + images);
    }
    if (resolution < 1 || resolution > LARGEST || Integer.bitCount(resolution) != 1) {
      throw new OptionException(
          "%s is drawn at a side that is a power of two up to %s, not %s"
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
