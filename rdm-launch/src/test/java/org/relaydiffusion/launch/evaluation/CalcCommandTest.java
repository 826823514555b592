// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.metrics.Provenance;
import org.relaydiffusion.metrics.inception.OutputLayer;
import org.relaydiffusion.metrics.npy.NpzWriter;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.testing.NoLiveTensors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Fixtures metrics/*: the reference's numbers come from its files through the command line. */
@ExtendWith(NoLiveTensors.class)
class CalcCommandTest {
  private static final Path FIXTURES =
      Path.of(System.getProperty("rdm.fixtures")).resolve("metrics");
  private static final String SAMPLE =
      "--activations_sample=" + FIXTURES.resolve("fid_pr/sample.npz");
  private static final String REFERENCE = "--activations_ref=" + FIXTURES.resolve("fid_pr/ref.npz");

  @TempDir private Path folder;

  private final TestFeatures features = new TestFeatures();

  private RdmRun calc(Map<String, String> environment, String... more) {
    List<String> line = new ArrayList<>(List.of("evaluate", "calc"));
    line.addAll(Arrays.asList(more));
    return RdmRun.evaluating(features, environment, new StopSignal(), line.toArray(String[]::new));
  }

  private static JsonNode expected() throws IOException {
    return JsonMapper.shared().readTree(Files.readString(FIXTURES.resolve("fid_pr/expected.json")));
  }

  @Test
  void theReferencesNumbers() throws IOException {
    RdmRun run =
        calc(
            Map.of(), SAMPLE, REFERENCE, "-m", "fid", "-m", "sfid", "-m", "pr", "--json",
            "--quiet");

    assertThat(run.code()).as(run.err()).isZero();
    JsonNode json = JsonMapper.shared().readTree(run.out());
    double fid = expected().get("fid_batch64").doubleValue();
    double sfid = expected().get("sfid_batch64").doubleValue();
    // The tolerance that was agreed on; scipy's own results differ by 1e-13 between its releases.
    assertThat(json.path("fid").doubleValue()).isCloseTo(fid, within(1e-7 * fid));
    assertThat(json.path("sfid").doubleValue()).isCloseTo(sfid, within(1e-7 * sfid));
    assertThat(json.path("precision").doubleValue())
        .isEqualTo(expected().get("precision").doubleValue());
    assertThat(json.path("recall").doubleValue()).isEqualTo(expected().get("recall").doubleValue());
    assertThat(json.path("k").intValue()).isEqualTo(3);
    assertThat(json.at("/samples/images").intValue()).isEqualTo(120);
    assertThat(json.at("/reference/images").intValue()).isEqualTo(160);
    assertThat(json.has("is")).isFalse();
    assertThat(features.opened).isEmpty();
  }

  /** Files that numpy reads: the statistics of feat.npz in other words. */
  @ParameterizedTest
  @ValueSource(
      strings = {"no_space", "python2_long", "count_is_a_number", "fortran_sigma", "big_endian"})
  void statisticsInEveryFormOfNumpysHaveTheDistance0(String name) {
    RdmRun run = calc(Map.of(), numpy("sample", "feat"), numpy("ref", name), "-m=fid", "--json");

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(JsonMapper.shared().readTree(run.out()).path("fid").doubleValue())
        .isCloseTo(0, within(1e-10));
  }

  @Test
  void aNegativeEigenvalueIsWarnedOf() {
    RdmRun run = calc(Map.of(), numpy("sample", "feat"), numpy("ref", "indefinite"), "-m=fid");

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err())
        .contains("the covariance of the references has a negative eigenvalue: rank 31 of 32")
        .contains("eigenvalues -1.05 to 1.80");
  }

  private static String numpy(String side, String name) {
    return "--activations_%s=%s".formatted(side, FIXTURES.resolveSibling("npy/" + name + ".npz"));
  }

  @Test
  void numbersAreALineEach() {
    RdmRun run = calc(Map.of(), SAMPLE, REFERENCE, "--metrics=pr,fid,pr");

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out().lines())
        .containsExactly(
            "FID        2.5434",
            "precision  0.7167  (86 of 120 samples)",
            "recall     0.8625  (138 of 160 images)",
            "Inception weights: not recorded");
    assertThat(run.err())
        .startsWith("rdm evaluate calc: precision and recall, FID of ")
        .contains("sample.npz against ");
  }

  @Test
  void theInceptionScoreOfTheFixture() throws IOException {
    Path samples = folder.resolve("samples.npz");
    try (TensorScope _ = TensorScope.open();
        SafetensorsFile io =
            SafetensorsFile.open(FIXTURES.resolve("inception_score/io.safetensors"))) {
      Tensor rows = tensor(io, "set0.activations_f32");
      NpzWriter.write(samples, out -> out.array("feat", rows));
      features.output = new OutputLayer(tensor(io, "set0.weight"), tensor(io, "set0.bias"));

      RdmRun whole = calc(Map.of(), "--activations_sample=" + samples, "-m", "is", "--json");
      RdmRun split =
          calc(
              Map.of(),
              "--activations_sample=" + samples,
              "-m=is",
              "--split_size=300",
              "--inception=net.safetensors");

      assertThat(whole.code()).as(whole.err()).isZero();
      JsonNode json = JsonMapper.shared().readTree(whole.out());
      // The fixture's logits come from other kernels of the BLAS: see InceptionScoreTest.
      assertThat(json.path("is").doubleValue())
          .isCloseTo(4.484620304024093, within(1e-8 * 4.484620304024093));
      assertThat(json.path("is_of_splits").size()).isEqualTo(1);
      assertThat(json.path("split_size").intValue()).isEqualTo(5000);
      assertThat(json.path("is_bias").stringValue()).isEqualTo("with");
      assertThat(json.path("inception_sha256").stringValue()).isEqualTo(TestFeatures.SHA256);
      assertThat(split.out().lines())
          .satisfiesExactly(
              first -> assertThat(first).matches("IS +4\\.427  \\([0-9.]+ between 3 splits\\)"),
              second ->
                  assertThat(second).isEqualTo("Inception weights: not recorded of the samples"),
              third ->
                  assertThat(third)
                      .isEqualTo(
                          "Inception weights: SHA-256 %s of the output layer"
                              .formatted(TestFeatures.SHA256)));
      assertThat(features.opened).containsExactly("none cpu EXACT", "net.safetensors cpu EXACT");
      assertThat(features.closed).isEqualTo(2);
    }
  }

  @Test
  void momentsAreEnoughForTheFrechetDistanceOnly() throws IOException {
    Path moments = folder.resolve("moments.npz");
    try (TensorScope _ = TensorScope.open();
        SafetensorsFile stats =
            SafetensorsFile.open(FIXTURES.resolve("fid_pr/stats.safetensors"))) {
      Tensor mean = tensor(stats, "mu_ref");
      Tensor covariance = tensor(stats, "sigma_ref");
      NpzWriter.write(
          moments,
          out -> {
            out.array("mu", mean);
            out.array("sigma", covariance);
          });
    }
    String reference = "--activations_ref=" + moments;

    assertThat(calc(Map.of(), SAMPLE, reference).out()).startsWith("FID        2.5434");
    RdmRun refused = calc(Map.of(), SAMPLE, reference, "-m=fid,pr,is", "--quiet");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.out()).isEmpty();
    assertThat(features.opened).isEmpty();
    assertThat(refused.err())
        .isEqualToIgnoringNewLines(
            ("rdm: %s: contains only moments, but activations ('feat') are required for precision"
                    + " and recall")
                .formatted(moments));
  }

  @Test
  void featuresOfDifferentNetworksAreWarnedOf() throws IOException {
    List<String> options = new ArrayList<>();
    for (String name : List.of("sample", "ref")) {
      Path file = folder.resolve(name + ".npz");
      String sum = (name.equals("ref") ? "a" : "b").repeat(64);
      try (Tensor rows = Torch.tensor(new double[] {1, 2, 5, 1, 3, 3, 0, 8}, 4, 2)) {
        NpzWriter.write(
            file,
            out -> {
              out.comment(Provenance.comment(sum, Numerics.FAST));
              out.array("feat", rows);
            });
      }
      options.add("--activations_%s=%s".formatted(name, file));
    }

    RdmRun run = calc(Map.of(), options.get(0), options.get(1), "--quiet");
    RdmRun same = calc(Map.of(), options.get(0), options.get(0).replace("_sample=", "_ref="));

    assertThat(run.code()).isZero();
    assertThat(run.err())
        .contains("sample.npz is from Inception weights bbbb", "ref.npz from aaaa")
        .contains(": they cannot be compared");
    assertThat(run.out())
        .contains(
            "Inception weights: SHA-256 %s of the samples".formatted("b".repeat(64)),
            "Inception weights: SHA-256 %s of the reference".formatted("a".repeat(64)));
    assertThat(same.out()).contains("Inception weights: SHA-256 " + "b".repeat(64) + "\n");
    assertThat(same.err()).doesNotContain("cannot be compared");
  }

  @Test
  void onlyTheFirstOfSeveralProcessesComputes() {
    RdmRun second = calc(Map.of("RANK", "1", "WORLD_SIZE", "2"), SAMPLE, REFERENCE);
    RdmRun first = calc(Map.of("RANK", "0", "WORLD_SIZE", "2"), SAMPLE, REFERENCE, "--quiet");

    assertThat(second).isEqualTo(new RdmRun(0, "", ""));
    assertThat(first.out()).startsWith("FID        2.5434");
  }

  @Test
  void aStoppedRunSaysSo() {
    StopSignal stop = new StopSignal();
    stop.request();

    RdmRun run =
        RdmRun.evaluating(
            features, Map.of(), stop, "evaluate", "calc", SAMPLE, REFERENCE, "--quiet");

    assertThat(run.code()).isEqualTo(130);
    assertThat(run.err()).isEqualToIgnoringNewLines("rdm: stopped before the result was complete");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--k=0                 | --k must be at least 1, but is 0",
        "--split-size=0        | --split-size must be at least 1, but is 0",
        "--threads=-1          | --threads must be 0 to 1024, but is -1",
        "--threads=1025        | --threads must be 0 to 1024, but is 1025",
        "--metrics=kid         | Invalid value for option '--metrics' (fid|sfid|is|pr): expected",
        "--is-bias=without     | Invalid value for option '--is-bias': expected one of [with, adm]",
        "--spatial-order=any   | Invalid value for option '--spatial-order': expected one of",
      })
  void mistakesAreNamed(String option, String message) {
    RdmRun run = calc(Map.of(), SAMPLE, REFERENCE, option);

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).startsWith("rdm: " + message);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void aReferenceIsNeededForAllButTheInceptionScore() {
    RdmRun run = calc(Map.of(), SAMPLE, "-m=sfid");

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error())
        .isEqualTo("rdm: --activations_ref is missing: sFID compares the samples with it");
  }

  @Test
  void damagedAndNonFiniteFilesAreOneLine() throws IOException {
    Path file = folder.resolve("samples.npz");
    byte[] whole = Files.readAllBytes(FIXTURES.resolve("fid_pr/sample.npz"));
    Files.write(file, Arrays.copyOf(whole, whole.length / 2));
    RdmRun cut = calc(Map.of(), "--activations_sample=" + file, REFERENCE, "--quiet");
    try (Tensor rows = Torch.tensor(new double[] {1, 2, Double.NaN, 4}, 2, 2)) {
      NpzWriter.write(file, out -> out.array("feat", rows));
    }
    RdmRun nan =
        calc(Map.of(), "--activations_sample=" + file, "--activations_ref=" + file, "--quiet");
    RdmRun narrow = calc(Map.of(), "--activations_sample=" + file, REFERENCE, "--quiet");

    for (RdmRun run : List.of(cut, nan, narrow)) {
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.out()).isEmpty();
      assertThat(run.err().lines()).singleElement().asString().contains("samples.npz");
    }
    assertThat(cut.err()).contains("is not a zip file, or is truncated");
    assertThat(nan.err()).contains("'feat'", "row 1");
    assertThat(narrow.err())
        .contains("has features of 2 dimensions, but ", "ref.npz of 32: cannot compute FID");
  }

  @Test
  void tooManyNeighboursAreRefused() {
    RdmRun run = calc(Map.of(), SAMPLE, REFERENCE, "-m=pr", "--k=120", "--quiet");

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines())
        .singleElement()
        .asString()
        .contains("sample.npz 'feat': ", "--k 120", "at least 121 images", "there are 120");
  }

  private static Tensor tensor(SafetensorsFile file, String name) {
    return Torch.fromData(requireNonNull(file.tensors().get(name)));
  }
}
