// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class StatsFileTest {
  @TempDir private Path folder;

  @Test
  void aLineATickInTheReferencesForm() throws IOException {
    Path file = folder.resolve("stats.jsonl");
    StatsFile stats = new StatsFile(file, 0);
    stats.append(statistics(0.004, new Moments(4, 10, 30)), 1700000000.25);
    stats.append(statistics(0.024, Moments.NONE), 1700000001);

    List<String> lines = Files.readAllLines(file);
    JsonNode first = new JsonMapper().readTree(lines.getFirst());
    assertThat(first.at("/Loss~1loss/num").asInt()).isEqualTo(4);
    assertThat(first.at("/Loss~1loss/mean").asDouble()).isEqualTo(2.5);
    assertThat(first.at("/Loss~1loss/std").asDouble()).isEqualTo(Math.sqrt(30 / 4.0 - 6.25));
    // As the reference has it: rounded to float32.
    assertThat(first.at("/Progress~1kimg/mean").asDouble()).isEqualTo(0.004000000189989805);
    assertThat(first.at("/Progress~1kimg/std").asDouble()).isZero();
    assertThat(first.get("timestamp").asDouble()).isEqualTo(1700000000.25);
    assertThat(lines.get(1)).contains("\"Loss/loss\":{\"num\":0,\"mean\":null,\"std\":null}");
  }

  @Test
  void aRunThatGoesOnDropsWhatWillBeWrittenAgain() throws IOException {
    Path file = folder.resolve("stats.jsonl");
    StatsFile stats = new StatsFile(file, 0);
    for (double kimg : new double[] {1, 2, 3}) {
      stats.append(statistics(kimg, Moments.of(kimg)), 0);
    }
    Files.writeString(file, Files.readString(file) + "{\"Loss/loss\": {\"nu");

    new StatsFile(file, 2).append(statistics(3, Moments.of(7)), 0);

    assertThat(Files.readAllLines(file)).hasSize(3).last().asString().contains("\"mean\":7.0");
  }

  @Test
  void aLossThatIsNotFiniteIsJsonAllTheSame() throws IOException {
    Path file = folder.resolve("stats.jsonl");
    new StatsFile(file, 0).append(statistics(1, Moments.of(Double.NEGATIVE_INFINITY)), 0);

    assertThat(Files.readString(file))
        .contains("\"Loss/loss\":{\"num\":1,\"mean\":\"-Infinity\",\"std\":null}");
  }

  @Test
  void linesOfTheReferenceAreKeptAsJson() throws IOException {
    Path file = folder.resolve("stats.jsonl");
    Files.writeString(
        file,
        """
        {"Loss/loss": {"num": 0, "mean": NaN, "std": Infinity}, "Progress/kimg": \
        {"num": 1, "mean": 2.5, "std": 0.0}, "timestamp": 1.25}
        {"Loss/loss": {"num": 0, "mean": NaN, "std": NaN}, "Progress/kimg": \
        {"num": 1, "mean": 3.5, "std": 0.0}, "timestamp": 2.5}
        """);

    StatsFile unused = new StatsFile(file, 3);

    assertThat(unused).isNotNull();
    assertThat(Files.readAllLines(file))
        .containsExactly(
            "{\"Loss/loss\":{\"num\":0,\"mean\":null,\"std\":\"Infinity\"},"
                + "\"Progress/kimg\":{\"num\":1,\"mean\":2.5,\"std\":0.0},\"timestamp\":1.25}");
  }

  private static Map<String, Moments> statistics(double kimg, Moments loss) {
    Map<String, Moments> statistics = new LinkedHashMap<>();
    statistics.put("Loss/loss", loss);
    statistics.put("Progress/kimg", Moments.of(kimg));
    return statistics;
  }
}
