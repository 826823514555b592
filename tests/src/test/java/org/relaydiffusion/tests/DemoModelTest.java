// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.data.convert.SyntheticShapes;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.launch.Rdm;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.tests.shapes.PaintedShapes;
import org.relaydiffusion.tests.shapes.ShapeClassifier;

/**
 * The demo's pictures are of the shapes that they were asked for. A classifier fitted on the data
 * set that the networks were trained on says which shape a picture has.
 */
class DemoModelTest {
  private static final int CLASSES = 8;
  private static final int SIDE = 64;
  private static final int HELD_OUT = 400;
  private static final int SAMPLES = 64;

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

  /** A classifier that could not tell the data's own shapes apart would say nothing of samples. */
  private static ShapeClassifier classifier() {
    ShapeClassifier classifier = PaintedShapes.classifier();
    try (SyntheticShapes shapes =
        new SyntheticShapes(PaintedShapes.FITTED + HELD_OUT, SIDE, PaintedShapes.SEED)) {
      ItemLabels labels = shapes.labels();
      long right =
          IntStream.range(PaintedShapes.FITTED, PaintedShapes.FITTED + HELD_OUT)
              .filter(i -> classifier.classify(shapes.read(i)) == labels.classOf(i).orElseThrow())
              .count();
      assertThat(right)
          .as("of %s images that were not fitted", HELD_OUT)
          .isGreaterThan(HELD_OUT * 95 / 100);
    }
    return classifier;
  }
}
