// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.shapes;

import java.util.Arrays;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * What does not depend on a shape's colour, place, size and (nearly) rotation: which pixels differ
 * from the border's colour, and of that mask the area in its own bounding circle, the holes, the
 * parts, the outline's length, and the spectra of its rings around the middle.
 */
final class ShapeFeatures {
  private static final int RINGS = 6;
  private static final int ANGLES = 64;
  private static final int HARMONICS = 8;
  private static final int CORNER = 5;

  private ShapeFeatures() {}

  static double[] of(Pixels pixels) {
    int n = pixels.width();
    double[][] mask = mask(pixels, n);
    double mass = 0;
    double x0 = 0;
    double y0 = 0;
    for (int y = 0; y < n; y++) {
      for (int x = 0; x < n; x++) {
        mass += mask[y][x];
        x0 += mask[y][x] * x;
        y0 += mask[y][x] * y;
      }
    }
    x0 /= mass;
    y0 /= mass;
    double radius = 0;
    double spread = 0;
    for (int y = 0; y < n; y++) {
      for (int x = 0; x < n; x++) {
        double r = Math.hypot(x - x0, y - y0);
        spread += mask[y][x] * r * r / mass;
        if (mask[y][x] > 0.5) {
          radius = Math.max(radius, r);
        }
      }
    }
    radius = Math.max(radius, 2);
    double[] features = new double[5 + RINGS * (HARMONICS + 1)];
    int at = 0;
    features[at++] = mass / (Math.PI * radius * radius);
    features[at++] = spread / (radius * radius);
    features[at++] = outline(mask, n) / radius;
    features[at++] = parts(mask, n, true, mass / 12);
    features[at++] = parts(mask, n, false, mass / 24);
    for (int ring = 0; ring < RINGS; ring++) {
      double r = radius * (ring + 0.5) / RINGS;
      double[] values = new double[ANGLES];
      for (int k = 0; k < ANGLES; k++) {
        double angle = 2 * Math.PI * k / ANGLES;
        values[k] = sample(mask, n, x0 + r * Math.cos(angle), y0 + r * Math.sin(angle));
      }
      for (int h = 0; h <= HARMONICS; h++) {
        features[at++] = magnitude(values, h);
      }
    }
    return features;
  }

  /** How far each pixel is from the border's colours, which shade from side to side: 0 to 1. */
  private static double[][] mask(Pixels pixels, int n) {
    double[][][] planes = new double[pixels.channels()][][];
    for (int c = 0; c < planes.length; c++) {
      planes[c] = smooth(pixels, n, c);
    }
    double[][] distance = new double[n][n];
    for (int y = 0; y < n; y++) {
      for (int x = 0; x < n; x++) {
        double sum = 0;
        for (int c = 0; c < pixels.channels(); c++) {
          double u = x / (n - 1.0);
          double v = y / (n - 1.0);
          // The background is smooth: what the four corners make of this place.
          double background =
              (1 - u) * (1 - v) * corner(planes[c], 0, 0)
                  + u * (1 - v) * corner(planes[c], n - CORNER, 0)
                  + (1 - u) * v * corner(planes[c], 0, n - CORNER)
                  + u * v * corner(planes[c], n - CORNER, n - CORNER);
          double d = planes[c][y][x] - background;
          sum += d * d;
        }
        distance[y][x] = Math.sqrt(sum);
      }
    }
    double[] sorted = Arrays.stream(distance).flatMapToDouble(Arrays::stream).sorted().toArray();
    double threshold = otsu(sorted);
    for (double[] row : distance) {
      for (int x = 0; x < n; x++) {
        row[x] = 1 / (1 + Math.exp(-(row[x] - threshold) / (0.08 * threshold + 1e-9)));
      }
    }
    return distance;
  }

  /** A channel under a binomial filter of 7 x 7: mottled colours are not what a shape is. */
  private static double[][] smooth(Pixels pixels, int n, int channel) {
    int[] filter = {1, 6, 15, 20, 15, 6, 1};
    double[][] across = new double[n][n];
    double[][] both = new double[n][n];
    for (int y = 0; y < n; y++) {
      for (int x = 0; x < n; x++) {
        for (int k = 0; k < filter.length; k++) {
          int at = Math.clamp(x + k - 3L, 0, n - 1);
          across[y][x] += filter[k] * pixels.value(at, y, channel) / 64.0;
        }
      }
    }
    for (int y = 0; y < n; y++) {
      for (int x = 0; x < n; x++) {
        for (int k = 0; k < filter.length; k++) {
          both[y][x] += filter[k] * across[Math.clamp(y + k - 3L, 0, n - 1)][x] / 64.0;
        }
      }
    }
    return both;
  }

  private static double corner(double[][] plane, int x, int y) {
    double sum = 0;
    for (int dy = 0; dy < CORNER; dy++) {
      for (int dx = 0; dx < CORNER; dx++) {
        sum += plane[y + dy][x + dx] / (CORNER * CORNER);
      }
    }
    return sum;
  }

  /** The threshold between two groups with the least variance inside them. */
  private static double otsu(double[] sorted) {
    double total = Arrays.stream(sorted).sum();
    double below = 0;
    double best = -1;
    double threshold = 1;
    for (int i = 1; i < sorted.length; i++) {
      below += sorted[i - 1];
      double mean0 = below / i;
      double mean1 = (total - below) / (sorted.length - i);
      double between = (double) i * (sorted.length - i) * (mean1 - mean0) * (mean1 - mean0);
      if (between > best) {
        best = between;
        threshold = (sorted[i - 1] + sorted[i]) / 2;
      }
    }
    return threshold;
  }

  private static double outline(double[][] mask, int n) {
    double length = 0;
    for (int y = 0; y + 1 < n; y++) {
      for (int x = 0; x + 1 < n; x++) {
        length += Math.hypot(mask[y][x + 1] - mask[y][x], mask[y + 1][x] - mask[y][x]);
      }
    }
    return length;
  }

  /** How many connected parts of some size the shape, or what it leaves free, falls into. */
  private static int parts(double[][] mask, int n, boolean inside, double least) {
    boolean[][] seen = new boolean[n][n];
    int[] stack = new int[n * n];
    int parts = 0;
    for (int start = 0; start < n * n; start++) {
      if (seen[start / n][start % n] || mask[start / n][start % n] > 0.5 != inside) {
        continue;
      }
      int depth = 0;
      int size = 0;
      stack[depth++] = start;
      seen[start / n][start % n] = true;
      while (depth > 0) {
        int p = stack[--depth];
        size++;
        for (int d = 0; d < 4; d++) {
          int y = p / n + (d == 0 ? 1 : d == 1 ? -1 : 0);
          int x = p % n + (d == 2 ? 1 : d == 3 ? -1 : 0);
          if (y >= 0 && y < n && x >= 0 && x < n && !seen[y][x] && mask[y][x] > 0.5 == inside) {
            seen[y][x] = true;
            stack[depth++] = y * n + x;
          }
        }
      }
      if (size > least) {
        parts++;
      }
    }
    return parts;
  }

  private static double sample(double[][] mask, int n, double x, double y) {
    int x0 = (int) Math.floor(x);
    int y0 = (int) Math.floor(y);
    double u = x - x0;
    double v = y - y0;
    return (1 - u) * (1 - v) * at(mask, n, x0, y0)
        + u * (1 - v) * at(mask, n, x0 + 1, y0)
        + (1 - u) * v * at(mask, n, x0, y0 + 1)
        + u * v * at(mask, n, x0 + 1, y0 + 1);
  }

  private static double at(double[][] mask, int n, int x, int y) {
    return x >= 0 && y >= 0 && x < n && y < n ? mask[y][x] : 0;
  }

  private static double magnitude(double[] values, int harmonic) {
    double re = 0;
    double im = 0;
    for (int k = 0; k < values.length; k++) {
      double angle = 2 * Math.PI * harmonic * k / values.length;
      re += values[k] * Math.cos(angle) / values.length;
      im += values[k] * Math.sin(angle) / values.length;
    }
    return Math.hypot(re, im);
  }
}
