// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.fixture.Fixture;
import tools.jackson.databind.JsonNode;

class SubsetTest {
  @Test
  void selectionIsTheReferences() {
    // random/dataset_subset: exact.
    for (JsonNode c : Fixture.of("random/dataset_subset").json("subset.json")) {
      int n = c.path("n").intValue();
      Subset plain =
          c.path("max_size").isNull()
              ? Subset.all(n)
              : Subset.drawn(n, c.path("max_size").intValue(), c.path("random_seed").longValue());
      Subset subset = c.path("xflip").booleanValue() ? plain.withMirrored() : plain;
      assertThat(subset.size()).isEqualTo(c.path("length").intValue());
      IntStream all = IntStream.range(0, subset.size());
      assertThat(all.map(subset::raw).toArray()).isEqualTo(Fixture.ints(c.path("raw_idx")));
      assertThat(IntStream.range(0, subset.size()).map(i -> subset.isMirrored(i) ? 1 : 0).toArray())
          .isEqualTo(Fixture.ints(c.path("xflip_flags")));
    }
  }

  @Test
  void itemsOutsideAreRefused() {
    Subset subset = Subset.all(3).withMirrored();
    assertThatThrownBy(() -> subset.raw(6)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> subset.raw(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> subset.isMirrored(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(subset::withMirrored).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> Subset.drawn(3, 0, 0)).isInstanceOf(IllegalArgumentException.class);
  }
}
