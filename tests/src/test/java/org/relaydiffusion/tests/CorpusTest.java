// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.relaydiffusion.tests.fuzz.Replay;

/**
 * Every file that fuzzing starts from, and every one it found a fault with, through its reader: as
 * {@code tests/fuzz --replay}, in a JVM with a heap of 256 MB.
 */
class CorpusTest {
  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void everyInputIsReadOrRefusedInOneLineWithinItsTimeAndMemory() throws Exception {
    Path root = Path.of(System.getProperty("rdm.fixtures")).resolve("../..").normalize();
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-Djava.awt.headless=true",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                Replay.class.getName(),
                root.toString())
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    String table = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(table).isZero();
    // A target without a single input would hold nothing.
    assertThat(table.lines().filter(line -> line.matches("[a-z-]+ +0 .*"))).isEmpty();
    assertThat(table).containsPattern("(?m)^all +\\d{3,} .* 0$");
  }
}
