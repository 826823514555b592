// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.fixture.Fixture;
import tools.jackson.databind.JsonNode;

class SeedsTest {
  @Test
  void listsAreReadAsTheReferenceReadsThem() {
    // random/seed_lists: exact, but for 10-7, which is an empty run there and an error here.
    for (JsonNode c : Fixture.of("random/seed_lists").json("seeds.json").path("parse_int_list")) {
      String text = c.path("text").stringValue();
      if (c.has("error") || text.equals("10-7")) {
        assertThatThrownBy(() -> Seeds.parse(text))
            .isInstanceOf(OptionException.class)
            .hasMessageStartingWith("--seeds")
            .hasMessageContaining(text);
      } else {
        assertThat(Seeds.parse(text).stream().toArray()).isEqualTo(Fixture.longs(c.path("seeds")));
      }
    }
  }

  @Test
  void batchesAreTheReferences() {
    // random/seed_lists: exact.
    for (JsonNode c : Fixture.of("random/seed_lists").json("seeds.json").path("batches")) {
      Seeds seeds = Seeds.range(0, c.path("num_seeds").longValue() - 1);
      int world = c.path("world_size").intValue();
      for (int rank = 0; rank < world; rank++) {
        List<long[]> batches = seeds.batches(c.path("max_batch").intValue(), rank, world);
        JsonNode expected = c.path("rank_batches").path(rank);
        assertThat(batches).hasSize(expected.size());
        for (int i = 0; i < batches.size(); i++) {
          assertThat(batches.get(i)).isEqualTo(Fixture.longs(expected.path(i)));
        }
      }
    }
  }

  @Test
  void messagesNameThePartThatIsWrong() {
    assertThatThrownBy(() -> Seeds.parse("1,x,3"))
        .hasMessage(
            "--seeds must be numbers and ranges such as 0-63,100, but found 'x' in" + " '1,x,3'");
    assertThatThrownBy(() -> Seeds.parse("0-3,10-7"))
        .hasMessage("--seeds 10-7: the start of a range must not exceed its end");
    assertThatThrownBy(() -> Seeds.parse("99999999999999999999"))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("64 bits");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0-1000000000000",
        "0-9223372036854775807",
        "0-2147483647",
        "0-2000000000,0-2000000000",
        "0-9223372036854775807,0-9223372036854775807"
      })
  void moreSeedsThanARunCanMakeAreRefused(String text) {
    assertThatThrownBy(() -> Seeds.parse(text))
        .isInstanceOf(OptionException.class)
        .hasMessage("--seeds has more than 2147483647 images, the maximum of one run");
  }

  @Test
  void aLongListIsNotExpandedUntilItIsWalked() {
    Seeds seeds = Seeds.parse("0-2147483644, +7 ,-1");
    assertThat(seeds.size()).isEqualTo(Integer.MAX_VALUE);
    assertThat(seeds.get(2147483644)).isEqualTo(2147483644L);
    assertThat(seeds.get(2147483645)).isEqualTo(7);
    assertThat(seeds.get(2147483646)).isEqualTo(-1);
    List<long[]> batches = seeds.batches(2, 1, 2);
    assertThat(batches).hasSize(536870912);
    assertThat(batches.getLast()).containsExactly(-1);
    assertThat(batches.getFirst()).containsExactly(2, 3);
  }

  @Test
  void nonsenseIsRefused() {
    Seeds seeds = Seeds.range(0, 9);
    assertThatThrownBy(() -> seeds.batches(0, 0, 1))
        .isInstanceOf(OptionException.class)
        .hasMessage("--batch must be at least 1, but is 0");
    assertThatThrownBy(() -> seeds.batches(1, 2, 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> seeds.get(10)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> seeds.get(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> seeds.batches(4, 0, 1).get(3))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }
}
