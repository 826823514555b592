// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.misuse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A few thousand random calls; {@code tests/random-calls} makes as many as it is asked to. */
@EnabledOnOs(OS.LINUX)
class RandomCallsTest {
  private static final int CALLS = 4000;
  private static final int SEED = 12;

  @TempDir private Path folder;

  /** In a process of its own, whose end would be a finding too, and with little memory. */
  @Test
  void endInValuesAndExceptionsAndLeaveNoTensor() throws IOException, InterruptedException {
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(
                "sh",
                "-c",
                "ulimit -c 0; ulimit -v 6000000; exec \"$@\"",
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx384m",
                "-XX:CompressedClassSpaceSize=64m",
                "-XX:ReservedCodeCacheSize=64m",
                "-XX:ErrorFile=" + folder.resolve("hs_err"),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                RandomCalls.class.getName(),
                Integer.toString(CALLS),
                Integer.toString(SEED))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      assertThat(process.waitFor(15, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    List<String> lines = List.of(new String(Files.readAllBytes(log), UTF_8).split("\n"));
    String end = String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
    assertThat(process.exitValue()).as(end).isZero();
    assertThat(end).contains("0 findings");
  }
}
