// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.image.Pixels;

class SyntheticShapesTest {
  @Test
  void aPictureDependsOnSeedAndIndexAlone() {
    Pixels picture = new SyntheticShapes(20, 32, 7).read(11);

    assertThat(new SyntheticShapes(1000, 32, 7).read(11)).isEqualTo(picture);
    assertThat(new SyntheticShapes(1000, 32, 8).read(11)).isNotEqualTo(picture);
    assertThat(new SyntheticShapes(1000, 32, 7).read(19)).isNotEqualTo(picture);
  }

  /** Each is rounded to 8 bits once, so a mean of rounded values may lie half a level off. */
  @Test
  void aSmallPictureIsTheLargeOneOfTheSameSceneAveraged() {
    SyntheticShapes small = new SyntheticShapes(16, 16, 3);
    SyntheticShapes large = new SyntheticShapes(16, 64, 3);
    for (int i = 0; i < 16; i++) {
      Pixels from = large.read(i);
      Pixels to = small.read(i);
      for (int y = 0; y < 16; y++) {
        for (int x = 0; x < 16; x++) {
          for (int c = 0; c < 3; c++) {
            assertThat((double) to.value(x, y, c))
                .isBetween(mean(from, x, y, c, -1), mean(from, x, y, c, 1));
          }
        }
      }
    }
  }

  private static double mean(Pixels large, int x, int y, int channel, double more) {
    double sum = 0;
    for (int i = 0; i < 16; i++) {
      sum += large.value(4 * x + i % 4, 4 * y + i / 4, channel);
    }
    return sum / 16 + more;
  }

  @Test
  void labelsGoRoundTheEightClasses() {
    SyntheticShapes set = new SyntheticShapes(19, 16, 0);

    for (int i = 0; i < set.size(); i++) {
      assertThat(set.labels().classOf(i)).hasValue(i % 8);
    }
    assertThat(ShapeClass.values()).hasSize(8);
  }

  @Test
  void everyShapeStandsOutFromItsBackground() {
    SyntheticShapes set = new SyntheticShapes(64, 64, 5);
    for (int i = 0; i < set.size(); i++) {
      ShapeScene scene = ShapeScene.of(5, i);
      Pixels picture = set.read(i);
      int inside = 0;
      int different = 0;
      for (int y = 0; y < 64; y++) {
        for (int x = 0; x < 64; x++) {
          double u = (x + 0.5) / 64 - scene.x();
          double v = (y + 0.5) / 64 - scene.y();
          double distance =
              scene
                  .shape()
                  .distance(
                      (u * scene.cosine() + v * scene.sine()) / scene.radius(),
                      (v * scene.cosine() - u * scene.sine()) / scene.radius());
          if (distance < -0.1) {
            inside++;
            different += differs(picture, x, y) ? 1 : 0;
          }
        }
      }
      assertThat(inside).as("picture %s", i).isGreaterThan(100);
      // Half of a checker's cells are close to the background on purpose.
      int least = scene.shape() == ShapeClass.CHECKER ? inside / 3 : inside * 9 / 10;
      assertThat(different).as("picture %s, %s", i, scene.shape()).isGreaterThan(least);
    }
  }

  /** Whether a pixel is far from the background in the corner that the shadow does not reach. */
  private static boolean differs(Pixels picture, int x, int y) {
    int distance = 0;
    for (int c = 0; c < 3; c++) {
      distance += Math.abs(picture.value(x, y, c) - picture.value(0, 0, c));
    }
    return distance > 60;
  }

  @Test
  void sizesThatCannotBeDrawnAreRefused() {
    assertThatThrownBy(() -> new SyntheticShapes(1, 48, 0))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "the resolution of synthetic:shapes must be a power of two up to 4096, but is 48");
    assertThatThrownBy(() -> new SyntheticShapes(0, 64, 0)).isInstanceOf(OptionException.class);
  }
}
