// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.RdmException;

/**
 * Damaged copies of good files (fixtures checkpoints/* and the controls of checkpoints_bad): each
 * either opens or is refused with one line. Nothing else may come out, errors of the virtual
 * machine least of all.
 */
@Timeout(60)
class CheckpointFuzzTest {
  private static final int CASES = 60;

  @TempDir Path folder;

  static Stream<Path> files() {
    return Stream.concat(
        Fixtures.official().stream(),
        Stream.of("good_minimal.pt", "good_legacy.pt", "good_shared_storage_views.pt")
            .map(Fixtures.BAD::resolve));
  }

  @ParameterizedTest
  @MethodSource("files")
  void flippedBitsAreRefusedOrHarmless(Path file) throws IOException {
    byte[] good = Files.readAllBytes(file);
    Random random = new Random(1);
    for (int i = 0; i < CASES; i++) {
      byte[] bad = good.clone();
      int flips = 1 + random.nextInt(4);
      for (int k = 0; k < flips; k++) {
        bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
      }
      read(bad);
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void overwrittenBytesAreRefusedOrHarmless(Path file) throws IOException {
    byte[] good = Files.readAllBytes(file);
    Random random = new Random(2);
    List<Integer> telling =
        List.of(0, 0x7f, 0x80, 0xff, (int) '(', (int) '.', (int) 'R', (int) 'c');
    for (int i = 0; i < CASES; i++) {
      byte[] bad = good.clone();
      int at = random.nextInt(bad.length);
      byte value = telling.get(random.nextInt(telling.size())).byteValue();
      Arrays.fill(bad, at, Math.min(bad.length, at + 1 + random.nextInt(8)), value);
      read(bad);
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void cutFilesAreRefused(Path file) throws IOException {
    byte[] good = Files.readAllBytes(file);
    Random random = new Random(3);
    for (int i = 0; i < CASES; i++) {
      byte[] bad = Arrays.copyOf(good, random.nextInt(good.length));
      assertThat(read(bad)).as("cut to %s bytes", bad.length).isFalse();
    }
  }

  /** Whether the bytes could be read as a checkpoint. */
  private boolean read(byte[] bytes) throws IOException {
    Path file = Files.write(folder.resolve("checkpoint"), bytes);
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      checkpoint.networks().values().forEach(NetworkRecord::state);
      checkpoint.tensors().values().forEach(StoredTensor::data);
      assertThat(checkpoint.summary().lines()).isNotEmpty();
      return true;
    } catch (RdmException e) {
      assertThat(e.getMessage()).startsWith(file.toString()).doesNotContain("\n", "\r", "\u001b");
      return false;
    }
  }
}
