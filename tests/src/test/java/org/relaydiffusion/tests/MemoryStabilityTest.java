// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.tests.bench.MemoryBenchmark;

/** Memory is freed when a scope closes, natively too: nothing waits for the collector. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "the resident set is read from /proc")
class MemoryStabilityTest {
  // What the JVM itself grows by must not be seen: its heap has one size from the start, and the
  // second compiler, whose memory comes and goes, is off.
  private static final List<String> STEADY_JVM =
      List.of(
          "-Xms64m",
          "-Xmx64m",
          "-XX:+AlwaysPreTouch",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "--enable-native-access=ALL-UNNAMED");

  private record Row(long passes, double residentMegabytes, long openTensors) {}

  @ParameterizedTest
  @ValueSource(strings = {"exact", "fast"})
  void twoThousandPassesLeaveMemoryWithinTwoPercentOfWhatItWasAfterTwoHundred(String numerics)
      throws IOException, InterruptedException {
    List<Row> rows = run(numerics);

    Row reference = rows.getFirst();
    Row last = rows.getLast();
    assertThat(reference.passes).isEqualTo(200);
    assertThat(last.passes).isEqualTo(2000);
    assertThat(last.openTensors).isEqualTo(reference.openTensors);
    assertThat(last.residentMegabytes)
        .isCloseTo(reference.residentMegabytes, within(0.02 * reference.residentMegabytes));
  }

  private static List<Row> run(String numerics) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(STEADY_JVM);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(MemoryBenchmark.class.getName(), "2000", numerics));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    // More threads only make a net of this size slower.
    builder.environment().put("OMP_NUM_THREADS", "1");
    Process process = builder.start();
    List<String> lines = process.inputReader().lines().toList();
    assertThat(process.waitFor()).isZero();
    return lines.stream()
        .skip(1)
        .map(line -> line.trim().split("\\s+"))
        .map(cells ->
            new Row(
                Long.parseLong(cells[1]), Double.parseDouble(cells[2]), Long.parseLong(cells[4])))
        .toList();
  }
}
