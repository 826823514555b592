// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.philox;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A launch gives each element the number that LibTorch's grid-stride loop gives it. */
class LaunchTest {
  private static final long SEED = 0x1234_5678_9abcL;

  @ParameterizedTest
  @CsvSource({
    "1, 864, 0",
    "5, 864, 16",
    "256, 1, 0",
    "257, 864, 0",
    "12288, 864, 4",
    "100000, 3, 8",
    "196608, 640, 0",
    "196608, 768, 0",
    "300000, 40, 4000000000000"
  })
  void elementsAreThoseOfAThreadByThreadLoop(long elements, int blocks, long offset) {
    // Integers of two words and of one show which words an element was made of.
    for (Kernel kernel : List.of(Kernels.integers(), Kernels.integers(1 << 27))) {
      Launch launch = new Launch(SEED, offset, blocks, kernel, elements);
      long[] expected = threadByThread(launch);
      for (int threads : new int[] {1, 3}) {
        try (Arena arena = Arena.ofShared()) {
          MemorySegment memory = arena.allocate(ValueLayout.JAVA_LONG, elements);
          new Launches(List.of(launch), List.of(memory)).compute(threads);
          assertThat(memory.toArray(ValueLayout.JAVA_LONG))
              .as("%s threads", threads)
              .isEqualTo(expected);
        }
      }
      long calls = -Math.floorDiv(-elements, 256 * grid(launch) * (long) kernel.elementsPerCall());
      assertThat(launch.nextOffset()).isEqualTo(offset + 4 * calls);
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "8"})
  void severalLaunchesComputedTogetherAreThoseComputedAlone(int threads) {
    List<Launch> launches =
        Stream.of(7, 5000, 20000, 1).map(n -> new Launch(n, 4, 12, Kernels.NORMAL_64, n)).toList();
    try (Arena arena = Arena.ofShared()) {
      List<MemorySegment> together = memory(arena, launches);
      List<MemorySegment> alone = memory(arena, launches);
      new Launches(launches, together).compute(threads);
      for (int i = 0; i < launches.size(); i++) {
        new Launches(List.of(launches.get(i)), List.of(alone.get(i))).compute(1);
        assertThat(together.get(i).mismatch(alone.get(i))).isEqualTo(-1);
      }
    }
  }

  private static List<MemorySegment> memory(Arena arena, List<Launch> launches) {
    return launches.stream()
        .map(launch -> arena.allocate(ValueLayout.JAVA_LONG, launch.elements()))
        .toList();
  }

  private static long grid(Launch launch) {
    return Math.min(launch.maxBlocks(), (launch.elements() + 255) / 256);
  }

  /** The device's loop, written as it runs there. */
  private static long[] threadByThread(Launch launch) {
    int unroll = launch.kernel().elementsPerCall();
    long stride = 256 * grid(launch);
    long[] result = new long[(int) launch.elements()];
    PhiloxWords words = new PhiloxWords();
    for (long thread = 0; thread < stride; thread++) {
      long call = launch.offset() / 4;
      for (long i = thread; i < launch.elements(); i += stride * unroll) {
        words.compute(launch.seed(), call++, thread, 1);
        for (int k = 0; k < unroll && i + k * stride < launch.elements(); k++) {
          result[(int) (i + k * stride)] =
              unroll == 4
                  ? words.word(k)[0] % (1 << 27)
                  : ((words.word(2 * k)[0] << 32) | words.word(2 * k + 1)[0]) & Long.MAX_VALUE;
        }
      }
    }
    return result;
  }
}
