// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

/**
 * Part of the distinct colours of an image, and what their mean loses.
 *
 * @param from index of the first colour
 * @param to index after the last colour
 * @param error sum of squared distances of all pixels from the mean
 * @param shift of the channel with the largest error in 0xRRGGBB: 16, 8 or 0
 * @param split the mean of that channel, rounded down
 * @param mean the mean of all pixels as 0xRRGGBB, rounded to the nearest
 */
record ColourBox(int from, int to, double error, int shift, int split, int mean) {
  /**
   * Computes the box of some colours.
   *
   * @param colours 0xRRGGBB, all different
   * @param counts number of pixels of each colour
   */
  static ColourBox of(int[] colours, int[] counts, int from, int to) {
    long count = 0;
    for (int i = from; i < to; i++) {
      count += counts[i];
    }
    double error = 0;
    double largest = -1;
    int shift = 0;
    int split = 0;
    int mean = 0;
    for (int s = 16; s >= 0; s -= 8) {
      long sum = 0;
      long squares = 0;
      for (int i = from; i < to; i++) {
        long value = colours[i] >> s & 0xff;
        sum += counts[i] * value;
        squares += counts[i] * value * value;
      }
      // Squares are below 2^47, so that this is exact to 1/16. If two values occur, it is at least
      // 1/2: a box of several colours has its largest error in a channel that can be split.
      double channel = squares - (double) sum * sum / count;
      error += channel;
      if (channel > largest) {
        largest = channel;
        shift = s;
        split = (int) (sum / count);
      }
      mean |= (int) ((sum + count / 2) / count) << s;
    }
    return new ColourBox(from, to, error, shift, split, mean);
  }

  /**
   * Moves the colours above the split behind the others, with their counts.
   *
   * @return the index of the first one above
   */
  int partition(int[] colours, int[] counts) {
    int low = from;
    int high = to - 1;
    while (low <= high) {
      if ((colours[low] >> shift & 0xff) <= split) {
        low++;
      } else {
        int colour = colours[low];
        colours[low] = colours[high];
        colours[high] = colour;
        int count = counts[low];
        counts[low] = counts[high];
        counts[high] = count;
        high--;
      }
    }
    return low;
  }
}
