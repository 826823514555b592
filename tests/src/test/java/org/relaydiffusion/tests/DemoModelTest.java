// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.data.convert.SyntheticShapes;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.launch.Rdm;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;

/**
 * The demo's pictures are of the shapes that they were asked for. A classifier fitted on the data
 * set that the networks were trained on says which shape a picture has.
 */
class DemoModelTest {
  private static final int CLASSES = 8;
  private static final int SIDE = 64;
  private static final int FITTED = 3000;
  private static final int HELD_OUT = 400;
  private static final int SAMPLES = 64;
  private static final double BLOTCHES = 14;
  private static final double WAVER = 1.3;

  @TempDir private Path folder;

  @Test
  void fourOfFiveSamplesAreTheShapeThatWasAskedFor() {
    ShapeClassifier classifier = classifier();
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said, true);
    int code =
        Rdm.run(
            List.of("demo", "--outdir=" + folder),
            new Console(writer, writer, false, Map.of()),
            new StopSignal());
    assertThat(code).as(said.toString()).isZero();

    long right =
        IntStream.range(0, SAMPLES)
            .filter(seed ->
                classifier.classify(
                        PictureReader.read(
                            folder.resolve(String.format(Locale.ROOT, "000000/%06d.png", seed))))
                    == seed % CLASSES)
            .count();

    assertThat(right).as("of %s samples", SAMPLES).isGreaterThanOrEqualTo(SAMPLES * 8 / 10 + 1);
  }

  /** As small networks paint: wavering edges, and blotches of a few grey levels. */
  static Pixels painted(Pixels picture, Random random) {
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

  /** A classifier that could not tell the data's own shapes apart would say nothing of samples. */
  private static ShapeClassifier classifier() {
    try (SyntheticShapes shapes = new SyntheticShapes(FITTED + HELD_OUT, SIDE, 1)) {
      ItemLabels labels = shapes.labels();
      IntUnaryOperator label = i -> labels.classOf(i).orElseThrow();
      List<Pixels> pictures =
          IntStream.range(0, FITTED)
              .parallel()
              .mapToObj(i -> painted(shapes.read(i), new Random(i)))
              .toList();
      ShapeClassifier classifier =
          ShapeClassifier.fitted(
              pictures, IntStream.range(0, FITTED).map(label).toArray(), CLASSES);
      long right =
          IntStream.range(FITTED, FITTED + HELD_OUT)
              .filter(i -> classifier.classify(shapes.read(i)) == label.applyAsInt(i))
              .count();
      assertThat(right)
          .as("of %s images that were not fitted", HELD_OUT)
          .isGreaterThan(HELD_OUT * 95 / 100);
      return classifier;
    }
  }
}
