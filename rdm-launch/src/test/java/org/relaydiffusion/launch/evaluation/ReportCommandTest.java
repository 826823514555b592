// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.torch.testing.NoLiveTensors;
import tools.jackson.databind.json.JsonMapper;

/** From pictures to a page: data sets, activation files, report. */
@ExtendWith(NoLiveTensors.class)
class ReportCommandTest {
  @TempDir private Path folder;

  private final TestFeatures features = new TestFeatures();
  private final StopSignal stop = new StopSignal();

  private RdmRun rdm(String... line) {
    return RdmRun.evaluating(features, Map.of(), stop, line);
  }

  /** Two folders of pictures, the second with those of the first and others. */
  @BeforeEach
  void makeSets() {
    for (String set : List.of("a 12", "b 20")) {
      String name = set.substring(0, 1);
      RdmRun made =
          rdm(
              "dataset",
              "--source=synthetic:shapes",
              "--dest=" + folder.resolve(name),
              "--resolution=16x16",
              "--images=" + set.substring(2),
              "--quiet");
      assertThat(made.code()).as(made.err()).isZero();
      RdmRun extracted =
          rdm(
              "evaluate",
              "activations",
              "--data=" + folder.resolve(name),
              "--dest=" + folder.resolve(name + ".npz"),
              "--quiet");
      assertThat(extracted.code()).as(extracted.err()).isZero();
    }
  }

  private RdmRun report(String... more) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "evaluate",
                "report",
                "--activations_sample=" + folder.resolve("a.npz"),
                "--activations_ref=" + folder.resolve("b.npz"),
                "--dest=" + page()));
    line.addAll(Arrays.asList(more));
    return rdm(line.toArray(String[]::new));
  }

  private Path page() {
    return folder.resolve("report.html");
  }

  @Test
  void everythingStandsOnOnePage() throws IOException {
    Files.writeString(
        folder.resolve("a/sampling_options.json"),
        "{\"command\": \"generate\", \"seeds\": \"0-11\", \"first\": {\"num_steps\": 18},"
            + " \"class\": null}");

    RdmRun run =
        report(
            "--data_sample=" + folder.resolve("a"),
            "--data_ref=" + folder.resolve("b"),
            "--metrics=fid,sfid,pr",
            "--rows=3",
            "--nearest=2",
            "--title=Shapes & more");

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("FID ", "sFID ", "precision ", "report.html: written, ");
    String html = Files.readString(page());
    assertThat(html)
        .contains("<h1>Shapes &amp; more</h1>", "The first 12 samples")
        .contains("<th scope=\"row\">seeds</th><td>0-11</td>")
        .contains("<th scope=\"row\">first.num_steps</th><td>18</td>")
        .doesNotContain("<th scope=\"row\">class</th>")
        .contains("a.npz, 12 images", "b.npz, 20 images", "Norms of the features");
    // The same picture is nearest: samples 0, 4 and 8, and the sheet before them.
    assertThat(html.split("<img ", -1)).hasSize(1 + 1 + 3 * 3);
    for (String name : List.of("img00000000", "img00000004", "img00000008")) {
      assertThat(html).contains("<figcaption>00000/%s.png · 0.000</figcaption>".formatted(name));
    }
  }

  /** Seed 16 draws neither picture 1 nor 5: the fourth row is not the fourth picture. */
  @Test
  void neighboursInADrawnSetAreShownByTheirOwnPictures() throws IOException {
    RdmRun drawn =
        rdm(
            "evaluate",
            "activations",
            "--data=" + folder.resolve("b"),
            "--dest=" + folder.resolve("b.npz"),
            "--max-images=15",
            "--subset-seed=16",
            "--quiet");
    assertThat(drawn.code()).as(drawn.err()).isZero();

    RdmRun run =
        report(
            "--data_sample=" + folder.resolve("a"),
            "--data_ref=" + folder.resolve("b"),
            "--rows=3",
            "--nearest=1");

    assertThat(run.code()).as(run.err()).isZero();
    for (String name : List.of("img00000000", "img00000004", "img00000008")) {
      assertThat(Files.readString(page()))
          .contains("<figcaption>00000/%s.png · 0.000</figcaption>".formatted(name));
    }
    RdmRun other = report("--data_ref=" + folder.resolve("a"), "--quiet");
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.error())
        .isEqualTo(
            "rdm: %s: contains 12 images, but %s has the activations of 20, a random subset"
                .formatted(folder.resolve("a"), folder.resolve("b.npz")));
  }

  @Test
  void samplesInOneArrayAreShown() throws IOException {
    Path samples = Path.of(System.getProperty("rdm.fixtures")).resolve("npy/adm_samples.npz");
    RdmRun extracted =
        rdm("evaluate", "activations", "--data=" + samples, "--dest=" + folder.resolve("a.npz"));
    assertThat(extracted.code()).as(extracted.err()).isZero();

    RdmRun run = report("--data_sample=" + samples, "--rows=2", "--nearest=1");

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(Files.readString(page())).contains("The first 5 samples", "arr_0[0]");
  }

  @Test
  void withoutPicturesThereAreNumbers() throws IOException {
    RdmRun run = report("--json", "--quiet");

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(JsonMapper.shared().readTree(run.out()).path("dest").stringValue())
        .isEqualTo(page().toString());
    assertThat(Files.readString(page()))
        .contains("<h1>a.npz</h1>", "image 0 · 0.000", "Norms of the features")
        .doesNotContain("<img ", "Options of the samples");
  }

  @Test
  void momentsAloneHaveNoNeighbours() throws IOException {
    Path moments = folder.resolve("moments.npz");
    RdmRun extracted =
        rdm(
            "evaluate",
            "activations",
            "--data=" + folder.resolve("b"),
            "--dest=" + moments,
            "--moments",
            "--quiet");
    assertThat(extracted.code()).as(extracted.err()).isZero();
    Files.writeString(folder.resolve("a/sampling_options.json"), "{\"seeds\": \"0-9\"}");

    RdmRun run = report("--activations_ref=" + moments, "--data_sample=" + folder.resolve("a"));

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(Files.readString(page()))
        .contains("Nearest neighbours and norms are omitted")
        .contains("have 10 seeds, but there are 12 images")
        .doesNotContain("Nearest neighbours in the reference set", "Norms of the features");
  }

  @Test
  void whatCannotBeWrittenIsToldBeforeAnythingIsComputed() throws IOException {
    Files.createDirectories(page());

    RdmRun run = report("--quiet");

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err())
        .isEqualToIgnoringNewLines("rdm: %s: is not a valid file name".formatted(page()));
  }

  @Test
  void aStoppedRunWritesNoPage() {
    stop.request();

    RdmRun run = report("--quiet");

    assertThat(run.code()).isEqualTo(130);
    assertThat(run.out()).isEmpty();
    assertThat(run.err())
        .isEqualToIgnoringNewLines("rdm: stopped; %s was not written".formatted(page()));
    assertThat(page()).doesNotExist();
  }

  @Test
  void picturesThatAreTooFewAreNamed() {
    RdmRun run = report("--data_ref=" + folder.resolve("a"), "--quiet");

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .isEqualToIgnoringNewLines(
            "rdm: %s: contains 12 images, but %s has the activations of 20"
                .formatted(folder.resolve("a"), folder.resolve("b.npz")));
    assertThat(page()).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{             | is not valid JSON: ",
        "[1, 2]        | is not a JSON object of options",
      })
  void brokenOptionsAreNamed(String text, String message) throws IOException {
    Path options = folder.resolve("options.json");
    Files.writeString(options, text);

    RdmRun run = report("--sampling_options=" + options, "--quiet");

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines())
        .singleElement()
        .asString()
        .startsWith("rdm: %s: %s".formatted(options, message));
    assertThat(page()).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--sheet=-1   | --sheet must be from 0 to 1024, but is -1",
        "--rows=1000  | --rows must be from 0 to 64, but is 1000",
        "--nearest=0  | --nearest must be from 1 to 15, but is 0",
      })
  void mistakesAreNamed(String option, String message) {
    RdmRun run = report(option);

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).isEqualTo("rdm: " + message);
    assertThat(page()).doesNotExist();
  }

  @Test
  void noInputIsWrittenOver() throws IOException {
    Path samples = folder.resolve("a.npz");
    Path link = Files.createLink(folder.resolve("page.html"), samples);
    byte[] before = Files.readAllBytes(samples);

    RdmRun run = report("--dest=" + link);

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("rdm: %s would be overwritten by itself".formatted(samples));
    Path other = Files.writeString(folder.resolve("thesis.tex"), "years of work");
    assertThat(report("--dest=" + other).err())
        .contains("rdm: %s: already exists and is not a valid report".formatted(other));
    assertThat(other).hasContent("years of work");
    RdmRun activations =
        rdm("evaluate", "activations", "--data=" + folder.resolve("a"), "--dest=" + other);
    assertThat(activations.err())
        .contains("rdm: %s: already exists and is not a valid activation file".formatted(other));
    assertThat(other).hasContent("years of work");
    assertThat(samples).hasBinaryContent(before);
  }
}
