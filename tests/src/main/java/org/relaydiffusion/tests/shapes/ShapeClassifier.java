// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.shapes;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * Tells which simple shape a picture shows: ridge regression of one-hot classes on the cosines of
 * random projections (random Fourier features, Rahimi and Recht 2007) of what {@link ShapeFeatures}
 * measures. These cosines, its last hidden layer, are the features of a picture. Immutable.
 */
public final class ShapeClassifier {
  private static final int RANDOM_FEATURES = 600;
  private static final double RIDGE = 1e-2;

  private final double[][] projection;
  private final double[] phase;
  private final double[] mean;
  private final double[] deviation;
  private final double[][] weights;

  private ShapeClassifier(
      double[][] projection,
      double[] phase,
      double[] mean,
      double[] deviation,
      double[][] weights) {
    this.projection = projection;
    this.phase = phase;
    this.mean = mean;
    this.deviation = deviation;
    this.weights = weights;
  }

  /**
   * Fits a classifier.
   *
   * @param pictures of which it learns
   * @param labels their classes, from 0
   * @param classes number of classes
   */
  public static ShapeClassifier fitted(List<Pixels> pictures, int[] labels, int classes) {
    double[][] raw = pictures.parallelStream().map(ShapeFeatures::of).toArray(double[][]::new);
    int width = raw[0].length;
    double[] mean = new double[width];
    double[] deviation = new double[width];
    for (int j = 0; j < width; j++) {
      for (double[] row : raw) {
        mean[j] += row[j] / raw.length;
      }
      for (double[] row : raw) {
        deviation[j] += (row[j] - mean[j]) * (row[j] - mean[j]) / raw.length;
      }
      deviation[j] = Math.sqrt(deviation[j]) + 1e-9;
    }
    Random random = new Random(7);
    double[][] projection = new double[RANDOM_FEATURES][width];
    double[] phase = new double[RANDOM_FEATURES];
    for (int k = 0; k < RANDOM_FEATURES; k++) {
      for (int j = 0; j < width; j++) {
        projection[k][j] = random.nextGaussian() / Math.sqrt(width) * 0.7;
      }
      phase[k] = random.nextDouble() * 2 * Math.PI;
    }
    ShapeClassifier untrained =
        new ShapeClassifier(projection, phase, mean, deviation, new double[0][0]);
    double[][] features = new double[raw.length][];
    for (int i = 0; i < raw.length; i++) {
      features[i] = untrained.lifted(raw[i]);
    }
    return new ShapeClassifier(
        projection, phase, mean, deviation, ridge(features, labels, classes));
  }

  /** Returns the class of a picture. */
  public int classify(Pixels picture) {
    return classify(features(picture));
  }

  /** Returns the features of a picture: 600 numbers from -1 to 1. */
  public double[] features(Pixels picture) {
    return Arrays.copyOf(lifted(ShapeFeatures.of(picture)), RANDOM_FEATURES);
  }

  /** Returns the class of a picture with these {@link #features}. */
  public int classify(double[] features) {
    int best = 0;
    double bestScore = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < weights.length; c++) {
      double score = weights[c][RANDOM_FEATURES];
      for (int j = 0; j < RANDOM_FEATURES; j++) {
        score += weights[c][j] * features[j];
      }
      if (score > bestScore) {
        bestScore = score;
        best = c;
      }
    }
    return best;
  }

  private double[] lifted(double[] raw) {
    double[] standard = new double[raw.length];
    for (int j = 0; j < raw.length; j++) {
      // What lies far outside of what was fitted says no more than that it does.
      standard[j] = Math.clamp((raw[j] - mean[j]) / deviation[j], -3, 3);
    }
    double[] lifted = new double[RANDOM_FEATURES + 1];
    lifted[RANDOM_FEATURES] = 1;
    for (int k = 0; k < RANDOM_FEATURES; k++) {
      double sum = phase[k];
      for (int j = 0; j < raw.length; j++) {
        sum += projection[k][j] * standard[j];
      }
      lifted[k] = Math.cos(sum);
    }
    return lifted;
  }

  /** Solves (F'F + ridge n I) W = F'Y by Cholesky's decomposition. */
  private static double[][] ridge(double[][] features, int[] labels, int classes) {
    int n = features[0].length;
    double[][] a = new double[n][n];
    double[][] b = new double[classes][n];
    for (int i = 0; i < features.length; i++) {
      double[] f = features[i];
      for (int r = 0; r < n; r++) {
        double v = f[r];
        double[] row = a[r];
        for (int c = 0; c <= r; c++) {
          row[c] += v * f[c];
        }
        b[labels[i]][r] += v;
      }
    }
    for (int i = 0; i < n; i++) {
      a[i][i] += RIDGE * features.length / n;
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = a[i][j];
        for (int k = 0; k < j; k++) {
          sum -= a[i][k] * a[j][k];
        }
        a[i][j] = i == j ? Math.sqrt(sum) : sum / a[j][j];
      }
    }
    for (double[] x : b) {
      for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++) {
          x[i] -= a[i][k] * x[k];
        }
        x[i] /= a[i][i];
      }
      for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++) {
          x[i] -= a[k][i] * x[k];
        }
        x[i] /= a[i][i];
      }
    }
    return b;
  }
}
