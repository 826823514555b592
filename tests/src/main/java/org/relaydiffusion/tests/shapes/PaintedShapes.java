// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.shapes;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.data.convert.SyntheticShapes;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * Fits a classifier for pictures by the demo's networks, on pictures of the data set that are
 * altered to look as if small networks had painted them.
 */
public final class PaintedShapes {
  /** The seed of the data set. */
  public static final long SEED = 1;

  /** The first so many pictures of the data set are fitted. */
  public static final int FITTED = 3000;

  private static final int CLASSES = 8;
  private static final int SIDE = 64;
  private static final double BLOTCHES = 14;
  private static final double WAVER = 1.3;

  private PaintedShapes() {}

  /** Fits the classifier. */
  public static ShapeClassifier classifier() {
    try (SyntheticShapes shapes = new SyntheticShapes(FITTED, SIDE, SEED)) {
      ItemLabels labels = shapes.labels();
      List<Pixels> pictures =
          IntStream.range(0, FITTED)
              .parallel()
              .mapToObj(i -> painted(shapes.read(i), new Random(i)))
              .toList();
      int[] classes =
          IntStream.range(0, FITTED).map(i -> labels.classOf(i).orElseThrow()).toArray();
      return ShapeClassifier.fitted(pictures, classes, CLASSES);
    }
  }

  /** As small networks paint: wavering edges, and blotches of a few grey levels. */
  private static Pixels painted(Pixels picture, Random random) {
    int n = picture.width();
    int channels = picture.channels();
    byte[] data = new byte[n * n * channels];
    double[][] right = smoothNoise(n, random, WAVER);
    double[][] down = smoothNoise(n, random, WAVER);
    for (int c = 0; c < channels; c++) {
      double[][] noise = smoothNoise(n, random, BLOTCHES);
      for (int y = 0; y < n; y++) {
        for (int x = 0; x < n; x++) {
          int fromX = Math.clamp(Math.round(x + right[y][x]), 0, n - 1);
          int fromY = Math.clamp(Math.round(y + down[y][x]), 0, n - 1);
          long value = Math.round(picture.value(fromX, fromY, c) + noise[y][x]);
          data[(y * n + x) * channels + c] = (byte) Math.clamp(value, 0, 255);
        }
      }
    }
    return new Pixels(n, n, channels, data);
  }

  /** Normal draws on every fourth pixel, and what lies between them. */
  private static double[][] smoothNoise(int n, Random random, double deviation) {
    double[][] coarse = new double[n / 4 + 2][n / 4 + 2];
    for (double[] row : coarse) {
      Arrays.setAll(row, _ -> deviation * random.nextGaussian());
    }
    double[][] fine = new double[n][n];
    for (int y = 0; y < n; y++) {
      double v = y % 4 / 4.0;
      for (int x = 0; x < n; x++) {
        double u = x % 4 / 4.0;
        double[] above = coarse[y / 4];
        double[] below = coarse[y / 4 + 1];
        fine[y][x] =
            (1 - v) * ((1 - u) * above[x / 4] + u * above[x / 4 + 1])
                + v * ((1 - u) * below[x / 4] + u * below[x / 4 + 1]);
      }
    }
    return fine;
  }
}
