// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.launch.RdmRun;
import tools.jackson.databind.json.JsonMapper;

/** {@code rdm tune-steps}. */
class TuneStepsCommandTest {
  @TempDir private Path folder;

  private RdmRun tune(Path levels, String... more) {
    Relay relay = Relay.unconditional(folder.resolve("unused"));
    List<String> line =
        new ArrayList<>(
            List.of(
                "tune-steps",
                "--network_first=" + relay.first(),
                "--network_second=" + relay.second(),
                "--dest=" + levels,
                "--device=cpu",
                "--threads=1",
                "--seeds=0-1",
                "--steps=4",
                "--long=8",
                "--evaluations=6"));
    line.addAll(List.of(more));
    return RdmRun.of(line.toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"first", "second"})
  void theLevelsAreThoseOfAFileThatGenerateReads(String stage) throws IOException {
    Path levels = folder.resolve("levels.txt");
    RdmRun run = tune(levels, "--stage=" + stage);

    assertThat(run.code()).as(run.err()).isZero();
    List<Double> found = Files.readAllLines(levels).stream().map(Double::valueOf).toList();
    assertThat(found)
        .hasSize(4)
        .isSortedAccordingTo((a, b) -> Double.compare(b, a))
        .allMatch(level -> level > 0);
    String steps = "--num_steps_%s=4".formatted(stage);
    String schedule = "--schedule_%s=align-your-steps:%s".formatted(stage, levels);
    assertThat(run.out())
        .contains(": 4 noise levels, distance", "use them with " + steps + " " + schedule);
    Relay relay = Relay.unconditional(folder.resolve("pictures"));
    assertThat(relay.run("--seeds=0", steps, schedule).code()).isZero();
    assertThat(relay.picture("000000/000000.png")).exists();
  }

  @Test
  void theResultAsJsonHasTheDistanceBeforeAndAfter() {
    Path levels = folder.resolve("levels.txt");
    RdmRun run = tune(levels, "--json");

    assertThat(run.code()).as(run.err()).isZero();
    double before = number(run.out(), "distance_before");
    assertThat(before).isPositive();
    assertThat(number(run.out(), "distance")).isBetween(0.0, before);
    assertThat(number(run.out(), "evaluations")).isEqualTo(6);
  }

  private static double number(String json, String name) {
    return JsonMapper.shared().readTree(json).path(name).doubleValue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--steps=2       | --steps must be at least 3, but is 2",
        "--long=4        | --long must be at least 5, but is 4",
        "--evaluations=0 | --evaluations must be at least 1, but is 0",
        "--stage=zeroth  | --stage must be first, second, third, fourth, fifth, sixth, but is"
            + " 'zeroth'",
        "--schedule_first=karras | --schedule_first must be left out: the noise levels of this stage"
            + " are searched",
        "--stage=third   | --network_third is missing: the third stage requires a checkpoint"
      })
  void whatDoesNotFitIsOneLine(String option, String message) {
    Path levels = folder.resolve("levels.txt");
    RdmRun run = tune(levels, option);

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).isEqualTo("rdm: " + message);
    assertThat(levels).doesNotExist();
  }
}
