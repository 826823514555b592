// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Runs of users whose language writes numbers with other digits, or lower-cases I without a dot:
 * names and JSON are as everywhere, and a run finds its own files again.
 */
class LocalisedRunTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"fa, IR", "ar, EG", "tr, TR"})
  void aRunNamesItsFilesAsEverywhereAndGoesOn(String language, String country) throws Exception {
    RdmProcess rdm =
        new RdmProcess(
            List.of(
                "-Duser.language=" + language,
                "-Duser.country=" + country,
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m"),
            Map.of());
    Path data = folder.resolve("data.zip");
    JsonNode written =
        result(
            rdm.run(
                "dataset",
                "--quiet",
                "--json",
                "--source=synthetic:shapes",
                "--images=4",
                "--resolution=16x16",
                "--dest=" + data));
    assertThat(written.get("images").intValue()).isEqualTo(4);
    try (ZipFile zip = new ZipFile(data.toFile())) {
      assertThat(zip.stream().map(ZipEntry::getName))
          .contains("00000/img00000003.png", "dataset.json");
    }

    train(rdm, data, "0.000004");
    JsonNode second = result(train(rdm, data, "0.000008"));

    assertThat(second.get("images").longValue()).isEqualTo(8);
    List<Path> files = files(folder);
    assertThat(files).allMatch(file -> isAscii(file.toString()));
    Path stats = named(files, "stats.jsonl");
    List<JsonNode> ticks = Files.readAllLines(stats).stream().map(LocalisedRunTest::json).toList();
    // The second run went on where the first had stopped: no tick is there twice.
    assertThat(ticks.stream().map(tick -> tick.at("/Progress~1tick/mean").asInt()))
        .doesNotHaveDuplicates()
        .isSorted();
    assertThat(ticks.getLast().at("/Progress~1kimg/mean").asDouble()).isGreaterThan(0.007);
    assertThat(json(Files.readString(named(files, "training_options.json"))).isObject()).isTrue();
    assertThat(isAscii(Files.readString(named(files, "log.txt")))).isTrue();
  }

  private RdmProcess.Ended train(RdmProcess rdm, Path data, String kimg)
      throws IOException, InterruptedException {
    return rdm.run(
        "train",
        "--json",
        "--outdir=" + folder.resolve("runs"),
        "--data=" + data,
        "--cond=1",
        "--arch=ddpmpp",
        "--cbase=8",
        "--cres=1",
        "--num-blocks=1",
        "--batch=2",
        "--duration=" + kimg,
        "--tick=0.002",
        "--dump=1",
        "--snap=0",
        "--sample-ticks=0",
        "--device=cpu",
        "--threads=1",
        "--resume=latest");
  }

  private static JsonNode result(RdmProcess.Ended ended) {
    assertThat(ended.code()).as(ended.err()).isZero();
    assertThat(isAscii(ended.out())).isTrue();
    return json(ended.out());
  }

  private static JsonNode json(String text) {
    return new JsonMapper().readTree(text);
  }

  private static boolean isAscii(String text) {
    return StandardCharsets.US_ASCII.newEncoder().canEncode(text);
  }

  private static Path named(List<Path> files, String name) {
    return files.stream()
        .filter(file -> file.endsWith(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError(name + " is not among " + files));
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }
}
