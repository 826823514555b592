// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

class LevelSearchTest {
  private static final double[] START = {80, 20, 5, 1, 0.1, 0.002};

  /** The sum of squared distances to a target, in the logarithm. */
  private static ToDoubleFunction<double[]> from(double... target) {
    return levels -> {
      double sum = 0;
      for (int i = 0; i < levels.length; i++) {
        double d = Math.log(levels[i] / target[i]);
        sum += d * d;
      }
      return sum;
    };
  }

  @Test
  void itFindsTheLeastDistance() {
    double[] target = {80, 10, 6, 0.5, 0.03, 0.002};
    LevelSearch.Found found = new LevelSearch(200, 5000).search(START, from(target), (_, _) -> {});
    for (int i = 0; i < target.length; i++) {
      assertThat(Math.log(found.levels()[i] / target[i])).isCloseTo(0, within(0.05));
    }
    assertThat(found.distance()).isLessThan(found.startDistance() / 100);
  }

  @Test
  void levelsNeverCross() {
    List<double[]> tried = new ArrayList<>();
    // A distance that wants all levels in one place.
    double[] target = {1, 1, 1, 1, 1, 1};
    ToDoubleFunction<double[]> distance = from(target);
    new LevelSearch(50, 1000)
        .search(
            START,
            levels -> {
              tried.add(levels);
              return distance.applyAsDouble(levels);
            },
            (_, _) -> {});
    assertThat(tried)
        .allSatisfy(levels -> {
          for (int i = 1; i < levels.length; i++) {
            assertThat(levels[i]).isLessThan(levels[i - 1]);
          }
          assertThat(levels[0]).isCloseTo(80, within(1e-9));
          assertThat(levels[5]).isCloseTo(0.002, within(1e-12));
        });
  }

  @Test
  void itMeasuresAtMostAsOftenAsAllowed() {
    int[] count = {0};
    LevelSearch.Found found =
        new LevelSearch(100, 7)
            .search(
                START,
                levels -> {
                  count[0]++;
                  return Double.NaN;
                },
                (_, _) -> {});
    assertThat(count[0]).isEqualTo(7);
    assertThat(found.evaluations()).isEqualTo(7);
    assertThat(found.distance()).isInfinite();
  }

  @Test
  void everyImprovementIsTold() {
    List<Double> told = new ArrayList<>();
    new LevelSearch(100, 500)
        .search(START, from(80, 10, 6, 0.5, 0.03, 0.002), (_, distance) -> told.add(distance));
    assertThat(told).hasSizeGreaterThan(5).isSortedAccordingTo((a, b) -> Double.compare(b, a));
  }
}
