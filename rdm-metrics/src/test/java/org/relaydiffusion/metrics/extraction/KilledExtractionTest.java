// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.metrics.ActivationsFile;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Content;

/** Extractions in processes of their own, which are killed, or have little memory. */
class KilledExtractionTest {
  private static final int IMAGES = 12 * Extractions.CHUNK + 1;

  @TempDir private Path folder;

  private Process start(Extractions set, int heapMegabytes, int millis) throws IOException {
    // Surefire may hide the class path in a manifest; this is what it stands for.
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
            .replace(';', File.pathSeparatorChar);
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx" + heapMegabytes + "m",
            "-XX:+UseSerialGC",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            classPath,
            ExtractionMain.class.getName(),
            set.data().toString(),
            set.target().toString(),
            set.content().name(),
            Integer.toString(millis))
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("output").toFile())
        .start();
  }

  private String output() throws IOException {
    return Files.readString(folder.resolve("output"));
  }

  private static long parts(Extractions set) throws IOException {
    if (!Files.exists(set.parts())) {
      return 0;
    }
    try (Stream<Path> files = Files.list(set.parts())) {
      return files.filter(f -> f.getFileName().toString().startsWith("part-")).count();
    }
  }

  @ParameterizedTest
  @EnumSource(Content.class)
  void aRunThatWasKilledAgainAndAgainMakesTheSameFile(Content content) throws Exception {
    Path data = Pictures.zip(folder.resolve("set.zip"), IMAGES);
    Extractions whole =
        Extractions.of(data, folder.resolve("whole.npz"), content, ExtractionMain.firstPixels(0));
    whole.run();
    Extractions killed = whole.to(folder.resolve("killed.npz"));
    for (int round = 0; round < 2; round++) {
      long before = parts(killed);
      Process process = start(killed, 64, 60);
      try {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (parts(killed) < before + 3) {
          assertThat(process.isAlive()).as(output()).isTrue();
          assertThat(System.nanoTime()).as(output()).isLessThan(deadline);
          Thread.sleep(5);
        }
      } finally {
        process.destroyForcibly().waitFor();
      }
      assertThat(killed.target()).doesNotExist();
    }
    long reused = parts(killed);

    List<ExtractionResult> results = killed.run(2);

    assertThat(killed.target()).hasSameBinaryContentAs(whole.target());
    assertThat(results.stream().mapToLong(ExtractionResult::extracted).sum())
        .isEqualTo(IMAGES - reused * Extractions.CHUNK);
    assertThat(killed.parts()).doesNotExist();
  }

  /** The pictures have 49 MB of pixels. */
  @Test
  void theHeapDoesNotGrowWithTheNumberOfImages() throws Exception {
    int images = 4000;
    Path data = Pictures.zip(folder.resolve("set.zip"), images, 64);
    Extractions set =
        Extractions.of(
            data, folder.resolve("set.npz"), Content.MOMENTS, ExtractionMain.firstPixels(0));

    Process process = start(set, 24, 0);

    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(output()).isZero();
    try (ActivationsFile file = ActivationsFile.open(set.target())) {
      assertThat(file.count()).hasValue(images);
    }
  }
}
