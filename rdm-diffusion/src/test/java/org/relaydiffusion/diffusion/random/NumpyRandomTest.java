// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.fixture.Fixture;
import tools.jackson.databind.JsonNode;

class NumpyRandomTest {
  @Test
  void shufflesAndDrawsAsNumpyDoes() {
    // random/numpy: exact.
    for (JsonNode c : Fixture.of("random/numpy").json("numpy.json").path("random_state")) {
      NumpyRandom random = new NumpyRandom(c.path("seed").longValue());
      int[] items = IntStream.range(0, c.path("n").intValue()).toArray();
      random.shuffle(items);
      assertThat(items).isEqualTo(Fixture.ints(c.path("shuffled")));
      long window = c.path("randint_window").longValue();
      assertThat(draws(random, window, 20)).isEqualTo(Fixture.longs(c.path("randint")));
      assertThat(draws(random, 1L << 31, 3)).isEqualTo(Fixture.longs(c.path("then_randint_1_31")));
    }
  }

  @Test
  void trainingSeedsAreTheReferences() {
    // random/numpy: exact.
    for (JsonNode c : Fixture.of("random/numpy").json("numpy.json").path("training_seed")) {
      assertThat(
              TrainingSeed.of(
                  c.path("seed").longValue(),
                  c.path("rank").intValue(),
                  c.path("world_size").intValue()))
          .isEqualTo(c.path("torch_seed").longValue());
    }
  }

  @Test
  void wideBoundsTakeTwoWords() {
    // np.random.RandomState(5): randint(2**32), randint(2**32 + 1), randint(10**12), randint(2**63
    // - 1)
    NumpyRandom random = new NumpyRandom(5);
    assertThat(random.randint(1L << 32)).isEqualTo(953453411L);
    assertThat(random.randint((1L << 32) + 1)).isEqualTo(3739766767L);
    assertThat(random.randint(1_000_000_000_000L)).isEqualTo(812636670950L);
    assertThat(random.randint(Long.MAX_VALUE)).isEqualTo(6709761423161562512L);
  }

  @Test
  void theLargestSeedAndManyDrawsHold() {
    // np.random.RandomState(2**32 - 1).randint(2**32, size=2000)[[0, 623, 624, 1999]]
    long[] draws = draws(new NumpyRandom(0xffff_ffffL), 1L << 32, 2000);
    assertThat(new long[] {draws[0], draws[623], draws[624], draws[1999]})
        .containsExactly(419326371L, 1027084080L, 3860652269L, 1762272365L);
  }

  @Test
  void seedsAndBoundsOutsideTheRangeAreRefused() {
    assertThatThrownBy(() -> new NumpyRandom(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
    assertThatThrownBy(() -> new NumpyRandom(1L << 32))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new NumpyRandom(0).randint(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> TrainingSeed.of(0, 2, 2)).isInstanceOf(IllegalArgumentException.class);
  }

  private static long[] draws(NumpyRandom random, long high, int count) {
    return LongStream.generate(() -> random.randint(high)).limit(count).toArray();
  }
}
