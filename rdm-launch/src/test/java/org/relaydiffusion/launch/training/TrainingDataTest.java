// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.launch.RdmRun;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What training makes of the data sets that people have. */
class TrainingDataTest {
  @TempDir private Path folder;

  private Path data;

  @BeforeEach
  void fourPictures() throws IOException {
    data = folder.resolve("data");
    Path shapes = folder.resolve("shapes");
    dataset("--source=synthetic:shapes", "--images=4", "--resolution=16x16", "--dest=" + shapes);
    Files.createDirectories(data);
    for (int i = 0; i < 4; i++) {
      Files.copy(
          shapes.resolve("00000/img0000000%s.png".formatted(i)),
          data.resolve("abcd".charAt(i) + ".png"));
    }
  }

  private static void dataset(String... options) {
    RdmRun run =
        RdmRun.of(
            Stream.concat(Stream.of("dataset", "--quiet"), Arrays.stream(options))
                .toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
  }

  private RdmRun train(Path set, String... options) {
    List<String> all =
        List.of(
            "train",
            "--outdir=" + folder.resolve("runs"),
            "--data=" + set,
            "--arch=ddpmpp",
            "--cbase=8",
            "--cres=1",
            "--num-blocks=1",
            "--batch=2",
            "--duration=0.000002",
            "--tick=1",
            "--sample-ticks=0");
    return RdmRun.of(Stream.concat(all.stream(), Arrays.stream(options)).toArray(String[]::new));
  }

  private void labels(String json) throws IOException {
    Files.writeString(data.resolve("dataset.json"), json.replace('\'', '"'));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--dry-run", "--threads=1"})
  void condWithoutLabelsIsRefusedBeforeAnythingIsTrained(String option) throws IOException {
    labels("{'labels': null}");
    RdmRun run = train(data, "--cond=1", option);
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error())
        .startsWith("rdm: --cond=1 requires labels, but %s has none".formatted(data))
        .contains("dataset.json");
    assertThat(folder.resolve("runs")).doesNotExist();

    Path classes = folder.resolve("classes");
    Files.createDirectories(classes.resolve("n01"));
    Files.copy(data.resolve("a.png"), classes.resolve("n01/a.png"));
    Files.createDirectories(classes.resolve("n02"));
    Files.copy(data.resolve("b.png"), classes.resolve("n02/b.png"));
    assertThat(train(classes, "--cond=1", option).code()).isEqualTo(2);
    assertThat(folder.resolve("runs")).doesNotExist();
  }

  @Test
  void labelsThatAreNotUsedAreTold() throws IOException {
    labels("{'labels': [['./a.png', 0.0], ['b.png', 1], ['c.png', 1], ['d.png', 2]]}");
    RdmRun run = train(data, "--dry-run");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err()).contains(data + " has labels, which are not used without --cond=1");

    RdmRun used = train(data, "--dry-run", "--cond=1");
    assertThat(used.code()).as(used.err()).isZero();
    assertThat(used.err()).doesNotContain("labels");
    JsonNode network = JsonMapper.shared().readTree(used.out()).path("network_kwargs");
    assertThat(network.path("class_name").asString()).isNotEmpty();
  }

  @Test
  void labelsThatAreOfNoPictureAreAnError() throws IOException {
    labels("{'labels': [['a.jpg', 0], ['b.jpg', 1]]}");
    String problem =
        data.resolve("dataset.json")
            + ": has 2 labels, but none refers to an existing image; the first is for 'a.jpg'";

    RdmRun run = train(data, "--dry-run", "--cond=1");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.error()).isEqualTo("rdm: " + problem);

    RdmRun converted =
        RdmRun.of("dataset", "--source=" + data, "--dest=" + folder.resolve("x.zip"));
    assertThat(converted.code()).isEqualTo(1);
    assertThat(converted.err()).contains(problem);
  }

  @Test
  void linksToFoldersAreFollowedByAllReaders() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("data"));
    Path classes = Files.createDirectory(folder.resolve("classes"));
    Files.createSymbolicLink(classes.resolve("n01"), Path.of("../data"));
    Files.createSymbolicLink(classes.resolve("n02"), Path.of("../data"));
    for (Path set : List.of(data, link, classes)) {
      assertThat(train(set, "--dry-run").code()).as("%s", set).isZero();
    }
    dataset("--source=" + classes, "--dest=" + folder.resolve("x.zip"));
    RdmRun run = train(folder.resolve("x.zip"), "--cond=1", "--dry-run");
    assertThat(run.code()).as(run.err()).isZero();
  }

  @Test
  void allPicturesAreLookedAtBeforeTheRunBegins() throws IOException {
    Path cut = data.resolve("b.png");
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(cut), 300));
    Path text = Files.writeString(data.resolve("d.png"), "no picture");
    Files.writeString(data.resolve("._a.png"), "AppleDouble");

    for (String option : List.of("--dry-run", "--threads=1")) {
      RdmRun run = train(data, option);
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.error())
          .startsWith("rdm: 2 of 4 images cannot be used: %s: is truncated".formatted(cut))
          .contains("; %s: is n".formatted(text))
          .endsWith("(--bad-images=list prints them, skip skips them)");
      assertThat(folder.resolve("runs")).doesNotExist();
    }

    RdmRun list = train(data, "--bad-images=list");
    assertThat(list.code()).isZero();
    assertThat(list.out().lines())
        .satisfiesExactly(
            first -> assertThat(first).startsWith(cut + ": is truncated"),
            second -> assertThat(second).startsWith(text + ": is n"));
    assertThat(list.err()).contains("2 of 4 images cannot be used");
    RdmRun json = train(data, "--bad-images=list", "--json");
    assertThat(JsonMapper.shared().readTree(json.out()).path("bad_images").intValue()).isEqualTo(2);
    assertThat(folder.resolve("runs")).doesNotExist();

    RdmRun skip = train(data, "--bad-images=skip", "--threads=1", "--json");
    assertThat(skip.code()).as(skip.err()).isZero();
    assertThat(skip.err())
        .contains("skipped: " + cut, "skipped: " + text)
        .contains("%s: skipped: 1 file of macOS (._*, __MACOSX)".formatted(data))
        .contains("2 images of 16 x 16");
    assertThat(JsonMapper.shared().readTree(skip.out()).path("bad_images").intValue()).isEqualTo(2);
  }

  @Test
  void whatTheDataSetToolLeftOutIsNotMissedByTraining() throws IOException {
    Files.writeString(data.resolve("c.png"), "no picture");
    labels("{'labels': [['a.png', 0], ['b.png', 1], ['c.png', 1], ['d.png', 2]]}");
    for (String name : List.of("set.zip", "set")) {
      Path set = folder.resolve(name);
      RdmRun run = RdmRun.of("dataset", "--source=" + data, "--dest=" + set, "--bad-images=skip");
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(run.err()).contains("skipped: %s: is n".formatted(data.resolve("c.png")));
      assertThat(run.out())
          .contains("3 images of 16 x 16, RGB, 3 classes")
          .contains("; 1 were skipped: they cannot be used");
      RdmRun trained = train(set, "--cond=1", "--dry-run");
      assertThat(trained.code()).as(trained.err()).isZero();
    }
  }
}
