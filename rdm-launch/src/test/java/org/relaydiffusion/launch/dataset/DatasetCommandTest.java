// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.StopSignal;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DatasetCommandTest {
  private static final Path FIXTURES =
      Path.of(System.getProperty("rdm.fixtures")).resolve("dataset/convert");

  @TempDir private Path folder;

  private String dest(String name) {
    return "--dest=" + folder.resolve(name);
  }

  private static String source(String name) {
    return "--source=" + FIXTURES.resolve(name);
  }

  @Test
  void aFolderBecomesAZip() throws IOException {
    RdmRun run =
        RdmRun.of(
            "dataset",
            source("src_classes"),
            dest("set.zip"),
            "--transform=center-crop",
            "--resolution=64x64");

    assertThat(run.code()).isZero();
    assertThat(run.err())
        .matches("rdm dataset: .*src_classes -> .*set.zip, 9 images, \\d+ workers\\R");
    assertThat(run.out()).matches(".*set.zip: 9 images of 64 x 64, RGB, 3 classes, [0-9.]+s\\R");
    try (ZipFile zip = new ZipFile(folder.resolve("set.zip").toFile())) {
      assertThat(zip.size()).isEqualTo(10);
    }
  }

  @Test
  void theSummaryAsJson() {
    RdmRun run =
        RdmRun.of(
            "dataset",
            source("src_classes"),
            dest("set"),
            "--transform=center_crop_wide",
            "--resolution=64,40",
            "--max_images=8",
            "--workers=1",
            "--quiet",
            "--json");

    assertThat(run.code()).isZero();
    assertThat(run.err()).isEmpty();
    JsonNode json = JsonMapper.shared().readTree(run.out());
    assertThat(json.path("command").asString()).isEqualTo("dataset");
    assertThat(json.path("images").intValue()).isEqualTo(5);
    assertThat(json.path("skipped").intValue()).isEqualTo(3);
    assertThat(json.path("resolution").intValue()).isEqualTo(64);
    assertThat(json.path("channels").intValue()).isEqualTo(3);
    assertThat(json.path("classes").intValue()).isEqualTo(3);
    assertThat(json.path("seconds").doubleValue()).isPositive();
    assertThat(folder.resolve("set/00000/img00000002.png")).exists();
  }

  @Test
  void shapesAreTheSameForTheSameSeedAtAnyCount() throws IOException {
    RdmRun run =
        RdmRun.of(
            "dataset",
            "--source=synthetic:shapes",
            dest("a"),
            "--resolution=16x16",
            "--max-images=12",
            "--seed=5");
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("12 images of 16 x 16, RGB, 8 classes");
    RdmRun.of(
        "dataset",
        "--source=synthetic:shapes",
        dest("b"),
        "--resolution=16x16",
        "--images=9",
        "--seed=5");

    byte[] picture = Files.readAllBytes(folder.resolve("a/00000/img00000008.png"));
    assertThat(folder.resolve("b/00000/img00000008.png")).hasBinaryContent(picture);
    assertThat(folder.resolve("b/00000/img00000009.png")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--resolution=64   | Invalid value for option '--resolution': --resolution must be"
            + " WIDTHxHEIG",
        "--transform=crop  | Invalid value for option '--transform': --transform must be none,"
            + " center",
        "--transform=center-crop | --transform=center-crop requires --resolution, such as 64x64",
        "--max-images=0    | --max-images must be at least 1, but is 0",
        "--workers=0       | --workers must be 1 to 1024, but is 0",
        "--workers=1025    | --workers must be 1 to 1024, but is 1025",
        "--images=5        | --images is only valid with --source=synthetic:shapes",
        "--split=test      | --split is only valid for CIFAR-10's archive: ",
        "--bad-images=some | Invalid value for option '--bad-images': expected one of [fail, skip,"
            + " list]",
        "--source=synthetic:dogs | unknown --source synthetic:dogs; did you mean"
            + " synthetic:shapes?",
      })
  void mistakesAreNamed(String option, String message) {
    RdmRun run = RdmRun.of("dataset", source("src_square"), dest("set.zip"), option);

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).startsWith("rdm: " + message);
    assertThat(run.err().lines().count()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(folder).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "src_truncated | t.png: is truncated",
        "src_empty     | src_empty: has no images among its 1 files",
        "src_nothere   | src_nothere: no such file or folder",
        "src_big       | photo.png: is 150 x 111 RGB, but images of a data set must be square",
      })
  void whatIsWrongWithASourceIsOneLine(String name, String message) {
    RdmRun run = RdmRun.of("dataset", source(name), dest("set.zip"), "--quiet");

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines()).singleElement().asString().contains(message);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void badPicturesAreListedAndNothingElseIsDone() throws IOException {
    Path set = folder.resolve("in");
    Files.createDirectories(set);
    for (int i = 0; i < 3; i++) {
      Files.copy(FIXTURES.resolve("src_square/img0.png"), set.resolve(i + ".png"));
    }
    Files.write(set.resolve("1.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G'});

    RdmRun text =
        RdmRun.of("dataset", "--source=" + set, dest("set.zip"), "--bad-images=list", "--quiet");
    assertThat(text.code()).as(text.err()).isZero();
    assertThat(text.out().lines()).singleElement().asString().startsWith(set + "/1.png: is ");
    RdmRun json =
        RdmRun.of("dataset", "--source=" + set, dest("set.zip"), "--bad-images=list", "--json");
    JsonNode result = JsonMapper.shared().readTree(json.out());
    assertThat(result.path("bad_images").intValue()).isEqualTo(1);
    assertThat(result.path("looked_at").intValue()).isEqualTo(3);
    assertThat(result.path("list").path(0).asString()).startsWith(set + "/1.png: is ");
    assertThat(folder.resolve("set.zip")).doesNotExist();

    RdmRun skip =
        RdmRun.of("dataset", "--source=" + set, dest("set.zip"), "--bad-images=skip", "--json");
    assertThat(JsonMapper.shared().readTree(skip.out()).path("bad_images").intValue()).isOne();
    assertThat(folder.resolve("set.zip")).exists();
  }

  @Test
  void missingLabelsAreMentioned() throws IOException {
    Path set = folder.resolve("in");
    Files.createDirectories(set);
    for (String name : new String[] {"img0.png", "img1.png"}) {
      Files.copy(FIXTURES.resolve("src_square").resolve(name), set.resolve(name));
    }
    Files.writeString(set.resolve("dataset.json"), "{\"labels\": [[\"img1.png\", 0]]}");

    RdmRun run = RdmRun.of("dataset", "--source=" + set, dest("set.zip"));

    assertThat(run.code()).isZero();
    assertThat(run.err())
        .contains("rdm: only 1 of 2 images have a label, so no labels were written");
    assertThat(run.out()).contains("no labels");
  }

  @Test
  void aStoppedRunSaysWhatIsThere() {
    StopSignal stop = new StopSignal();
    stop.request();

    RdmRun run =
        RdmRun.run(Map.of(), stop, "dataset", "--source=synthetic:shapes", dest("set.zip"));

    assertThat(run.code()).isEqualTo(130);
    assertThat(run.err())
        .contains("rdm: stopped after 0 of 10000 images; ", "set.zip was not written");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aDatasetThatIsThereIsReplacedOnlyWhenAskedFor() throws IOException {
    Path zip = folder.resolve("set.zip");
    Path set = folder.resolve("set");
    String[] three = {"dataset", "--quiet", "--source=synthetic:shapes", "--images=3", ""};
    for (Path target : new Path[] {zip, set}) {
      three[4] = "--dest=" + target;
      assertThat(RdmRun.of(three).code()).isZero();
    }
    byte[] before = Files.readAllBytes(zip);
    String[] two = {
      "dataset", "--quiet", "--source=synthetic:shapes", "--images=2", "", "--seed=1"
    };
    two[4] = "--dest=" + zip;
    assertThat(RdmRun.of(two).error())
        .isEqualTo(
            "rdm: %s: already exists: choose another name, or use --overwrite to replace it"
                .formatted(zip));
    assertThat(zip).hasBinaryContent(before);
    two[4] = "--dest=" + set;
    assertThat(RdmRun.of(two).error())
        .startsWith("rdm: %s: is not empty: expected a new or empty folder".formatted(set));
    assertThat(set.resolve("00000/img00000002.png")).exists();

    two[1] = "--overwrite";
    assertThat(RdmRun.of(two).code()).isZero();
    assertThat(set.resolve("00000/img00000001.png")).exists();
    assertThat(set.resolve("00000/img00000002.png")).doesNotExist();
    two[4] = "--dest=" + zip;
    assertThat(RdmRun.of(two).code()).isZero();
    try (ZipFile file = new ZipFile(zip.toFile())) {
      assertThat(file.size()).isEqualTo(3);
    }
  }

  @Test
  void overwritingAFolderDeletesNothingOfAnotherKind() throws IOException {
    Path set = Files.createDirectories(folder.resolve("set/00000"));
    Path note = Files.writeString(set.resolve("notes.txt"), "years of work");
    RdmRun run =
        RdmRun.of(
            "dataset",
            "--source=synthetic:shapes",
            "--images=1",
            "--overwrite",
            "--dest=" + set.getParent());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.error()).startsWith("rdm: %s: is not part of a data set".formatted(note));
    assertThat(note).hasContent("years of work");
  }

  @Test
  void theSourceIsNeverWrittenOver() throws IOException {
    Path zip = folder.resolve("set.zip");
    assertThat(
            RdmRun.of("dataset", "--source=synthetic:shapes", "--images=2", "--dest=" + zip).code())
        .isZero();
    byte[] before = Files.readAllBytes(zip);
    Path link = Files.createSymbolicLink(folder.resolve("link.zip"), zip);
    Path hard = Files.createLink(folder.resolve("hard.zip"), zip);
    for (Path target : new Path[] {zip, link, hard}) {
      RdmRun run = RdmRun.of("dataset", "--overwrite", "--source=" + zip, "--dest=" + target);
      assertThat(run.code()).isEqualTo(2);
      assertThat(run.error()).startsWith("rdm: %s would be overwritten by itself".formatted(zip));
    }
    assertThat(zip).hasBinaryContent(before);
    RdmRun inside = RdmRun.of("dataset", "--source=" + folder, "--dest=" + folder.resolve("a/b"));
    assertThat(inside.code()).isEqualTo(2);
    assertThat(inside.error()).contains("is inside --source");
    assertThat(folder.resolve("a")).doesNotExist();
  }
}
