// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.fixture.Fixture;
import tools.jackson.databind.JsonNode;

class InfiniteSamplerTest {
  @Test
  void ordersAreTheReferences() {
    // random/infinite_sampler: exact.
    for (JsonNode c : Fixture.of("random/infinite_sampler").json("sampler.json")) {
      InfiniteSampler sampler = sampler(c);
      assertThat(sampler.hasNext()).isTrue();
      assertThat(take(sampler, 500)).as("%s", c).isEqualTo(Fixture.ints(c.path("indices")));
    }
  }

  @Test
  void skippingGoesOnWhereTheOrderWas() {
    InfiniteSampler skipped = InfiniteSampler.shuffled(50, 1, 3, 7, 0.5);
    InfiniteSampler walked = InfiniteSampler.shuffled(50, 1, 3, 7, 0.5);
    skipped.skip(321);
    take(walked, 321);
    assertThat(take(skipped, 100)).isEqualTo(take(walked, 100));
  }

  @Test
  void nonsenseIsRefused() {
    assertThatThrownBy(() -> InfiniteSampler.inOrder(0, 0, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> InfiniteSampler.inOrder(5, 2, 2))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> InfiniteSampler.shuffled(5, 0, 1, 0, 1.5))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static InfiniteSampler sampler(JsonNode c) {
    int size = c.path("dataset_size").intValue();
    int rank = c.path("rank").intValue();
    int replicas = c.path("num_replicas").intValue();
    JsonNode arguments = c.path("kwargs");
    return arguments.path("shuffle").asBoolean(true)
        ? InfiniteSampler.shuffled(
            size,
            rank,
            replicas,
            c.path("seed").longValue(),
            arguments.path("window_size").asDouble(InfiniteSampler.DEFAULT_WINDOW))
        : InfiniteSampler.inOrder(size, rank, replicas);
  }

  private static int[] take(InfiniteSampler sampler, int count) {
    return IntStream.generate(sampler::nextInt).limit(count).toArray();
  }
}
