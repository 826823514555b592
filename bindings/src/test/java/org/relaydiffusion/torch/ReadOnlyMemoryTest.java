// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.ReadOnlyMemory.Range;

/** Ranges overlap, are there several times and go in any order; each address is asked of all. */
class ReadOnlyMemoryTest {
  // Far from any memory, and where addresses as signed numbers would be out of order.
  private static final long BASE = Long.MAX_VALUE - 50;

  @Test
  void anAddressIsInSideWhereARangeIsThatHasIt() {
    Random random = new Random(7);
    List<Range> held = new ArrayList<>();
    for (int round = 0; round < 400; round++) {
      if (!held.isEmpty() && (random.nextInt(3) == 0 || round >= 350)) {
        ReadOnlyMemory.remove(held.remove(random.nextInt(held.size())));
      } else if (round < 350) {
        long begin = BASE + random.nextInt(90);
        Range range = new Range(begin, begin + 1 + random.nextInt(12));
        held.add(range);
        ReadOnlyMemory.add(range);
      }
      for (int i = 0; i < 104; i++) {
        long offset = i;
        boolean expected =
            held.stream().anyMatch(r -> offset >= r.begin() - BASE && offset < r.end() - BASE);
        assertThat(ReadOnlyMemory.contains(BASE + offset)).isEqualTo(expected);
      }
    }
    held.forEach(ReadOnlyMemory::remove);
    assertThat(ReadOnlyMemory.contains(BASE + 50)).isFalse();
  }
}
