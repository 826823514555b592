// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * At most 256 colours for an image: exactly its own if it has no more, otherwise the means of 256
 * boxes of similar colours (median cut, Heckbert 1982, in the variant that splits the box with the
 * largest squared error at the mean of its most varied channel). Equal images have equal palettes.
 */
final class Palette {
  /** The maximum number of colours. */
  static final int MOST = 256;

  private static final int MOST_SUM = 3 * 255;

  /** 0xRRGGBB, by increasing sum of the channels. */
  private final int[] colours;

  private final int[] sums;

  /** The index of the first colour with at least this sum. */
  private final int[] starts = new int[MOST_SUM + 2];

  private Palette(int[] colours) {
    this.colours =
        Arrays.stream(colours)
            .mapToLong(rgb -> (long) sum(rgb) << Integer.SIZE | rgb)
            .sorted()
            .mapToInt(key -> (int) key)
            .toArray();
    this.sums = Arrays.stream(this.colours).map(Palette::sum).toArray();
    for (int sum : sums) {
      starts[sum + 1]++;
    }
    for (int sum = 0; sum <= MOST_SUM; sum++) {
      starts[sum + 1] += starts[sum];
    }
  }

  /** Returns the palette of an image, [H, W, 1 or 3]. */
  static Palette of(Pixels pixels) {
    int[] colours = new int[pixels.width() * pixels.height()];
    for (int i = 0; i < colours.length; i++) {
      colours[i] = rgb(pixels, i);
    }
    Arrays.sort(colours);
    int[] counts = new int[colours.length];
    int distinct = 0;
    for (int i = 0; i < colours.length; i++) {
      if (i > 0 && colours[i] != colours[i - 1]) {
        distinct++;
      }
      colours[distinct] = colours[i];
      counts[distinct]++;
    }
    distinct++;
    return new Palette(
        distinct <= MOST ? Arrays.copyOf(colours, distinct) : means(colours, counts, distinct));
  }

  private static int[] means(int[] colours, int[] counts, int distinct) {
    PriorityQueue<ColourBox> boxes =
        new PriorityQueue<>(
            Comparator.comparingDouble(ColourBox::error)
                .reversed()
                .thenComparingInt(ColourBox::from));
    boxes.add(ColourBox.of(colours, counts, 0, distinct));
    while (boxes.size() < MOST) {
      // More than 256 colours are in fewer boxes, so the largest error is that of a box with
      // several colours, which can be split.
      ColourBox box = boxes.remove();
      int middle = box.partition(colours, counts);
      boxes.add(ColourBox.of(colours, counts, box.from(), middle));
      boxes.add(ColourBox.of(colours, counts, middle, box.to()));
    }
    return boxes.stream().mapToInt(ColourBox::mean).toArray();
  }

  /** Returns the colour of a pixel as 0xRRGGBB. */
  static int rgb(Pixels pixels, int index) {
    byte[] data = pixels.data();
    if (pixels.channels() == 1) {
      return (data[index] & 0xff) * 0x010101;
    }
    int at = 3 * index;
    return (data[at] & 0xff) << 16 | (data[at + 1] & 0xff) << 8 | (data[at + 2] & 0xff);
  }

  private static int sum(int rgb) {
    return (rgb >> 16) + (rgb >> 8 & 0xff) + (rgb & 0xff);
  }

  /** Returns the number of colours, 1 to {@link #MOST}. */
  int size() {
    return colours.length;
  }

  /** Returns a colour as 0xRRGGBB. */
  int colour(int index) {
    return colours[index];
  }

  /**
   * Returns the index of the colour with the smallest Euclidean distance. By the Cauchy-Schwarz
   * inequality, the sums of two colours differ by at most sqrt(3) times their distance, so only
   * colours with a similar sum are compared.
   */
  int nearest(int red, int green, int blue) {
    int sum = red + green + blue;
    int start = starts[sum];
    int nearest = 0;
    int least = 3 * 255 * 255 + 1;
    for (int i = start; i < sums.length && square(sums[i] - sum) < 3 * least; i++) {
      int distance = distance(colours[i], red, green, blue);
      if (distance < least) {
        least = distance;
        nearest = i;
      }
    }
    for (int i = start - 1; i >= 0 && square(sum - sums[i]) < 3 * least; i--) {
      int distance = distance(colours[i], red, green, blue);
      if (distance < least) {
        least = distance;
        nearest = i;
      }
    }
    return nearest;
  }

  private static int distance(int rgb, int red, int green, int blue) {
    return square((rgb >> 16) - red)
        + square((rgb >> 8 & 0xff) - green)
        + square((rgb & 0xff) - blue);
  }

  private static int square(int value) {
    return value * value;
  }
}
