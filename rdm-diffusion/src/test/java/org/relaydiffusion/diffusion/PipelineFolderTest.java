// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.PipelinePacker.Existing;
import org.relaydiffusion.diffusion.guidance.GuidanceOptions;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.io.FileSum;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;

/** Pipelines in a folder, of the networks of samplers/relay_cond_cfg. */
class PipelineFolderTest {
  private static final RelayFixture FIXTURE = RelayFixture.of("cond_cfg");
  private static final StageOptions FIRST =
      StageOptions.of(EdmOptions.DEFAULT.toBuilder().numSteps(2).build())
          .with(GuidanceOptions.scale(1.5));
  private static final StageOptions SECOND =
      StageOptions.of(
          RelayOptions.DEFAULT.toBuilder().numSteps(8).blurSigmaMax(2).churn(Churn.OFF).build());

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path first() {
    return FIXTURE.files().file("first.pkl");
  }

  private static Path second() {
    return FIXTURE.files().file("second.pt");
  }

  private static PipelinePacker packer() {
    return new PipelinePacker(Enhancement.CELEBAHQ)
        .stage(0, new PipelinePacker.Source(first(), Optional.empty(), FIRST))
        .stage(1, new PipelinePacker.Source(second(), Optional.empty(), SECOND));
  }

  @BeforeAll
  static void pack() {
    packer().write(shared.resolve("pipeline"), Existing.REFUSE);
  }

  /** Returns a copy of the pipeline that a test may change. */
  private Path copy() throws IOException {
    Path copy = Files.createDirectory(folder.resolve("copy"));
    try (Stream<Path> files = Files.list(shared.resolve("pipeline"))) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    return copy;
  }

  private static PipelineFolder.Part stage(PipelineFolder folder, int index) {
    return Objects.requireNonNull(folder.stages().get(index));
  }

  private static Map<Long, Pixels> sample(RelayPipeline pipeline, SampleRequest request) {
    Map<Long, Pixels> pictures = new HashMap<>();
    try (Samples samples = pipeline.sample(request)) {
      samples.forEach(s -> pictures.put(s.seed(), s.pixels()));
    }
    return pictures;
  }

  @Test
  void theFolderHoldsNetworksAndOptions() throws IOException {
    PipelineFolder read = PipelineFolder.open(shared.resolve("pipeline"));

    assertThat(stage(read, 0).options()).isEqualTo(FIRST);
    assertThat(stage(read, 1).options()).isEqualTo(SECOND);
    assertThat(read.enhancement()).isEqualTo(Enhancement.CELEBAHQ);
    assertThat(read.files())
        .extracting(file -> String.valueOf(file.path().getFileName()))
        .containsExactly("first.safetensors", "second.safetensors");
    assertThat(stage(read, 0).network().sourceSha256()).contains(FileSum.sha256(first()));
    read.verify();
    assertThat(Files.readString(shared.resolve("pipeline/pipeline.json")))
        .contains("\"format\" : \"rdm-pipeline\"", "\"max\" : \"Infinity\"")
        .doesNotContain(shared.toString());
  }

  @Test
  void imagesAreThoseOfTheCheckpointsWithTheSameOptions() {
    SampleRequest request =
        SampleRequest.builder()
            .seeds(3, 4)
            .stage(0, FIRST)
            .stage(1, SECOND)
            .enhancement(Enhancement.CELEBAHQ)
            .build();
    Map<Long, Pixels> expected;
    try (RelayPipeline pipeline = FIXTURE.load(Numerics.FAST)) {
      expected = sample(pipeline, request);
    }

    try (RelayPipeline pipeline = RelayPipeline.open(shared.resolve("pipeline"))) {
      assertThat(sample(pipeline, pipeline.request().seeds(3, 4).build())).isEqualTo(expected);
    }
    try (RelayPipeline pipeline =
        RelayPipeline.builder()
            .folder(shared.resolve("pipeline"))
            .numerics(Numerics.EXACT)
            .dtype(DType.BFLOAT16)
            .load()) {
      assertThat(pipeline.dtypes()).containsOnly(DType.BFLOAT16);
    }
  }

  @Test
  void aPipelineWithoutAFolderHasTheDefaults() {
    try (RelayPipeline pipeline = FIXTURE.load(Numerics.FAST)) {
      assertThat(pipeline.request().build().stages()).isEqualTo(Preset.GENERATE.stages());
    }
  }

  @Test
  void aGuideIsPackedBesideItsNetwork() {
    StageOptions guided = SECOND.with(GuidanceOptions.scale(2));
    PipelineFolder written =
        new PipelinePacker(Enhancement.NONE)
            .stage(1, new PipelinePacker.Source(second(), Optional.of(second()), guided))
            .write(folder.resolve("guided"), Existing.REFUSE);

    assertThat(folder.resolve("guided/second-guide.safetensors")).isRegularFile();
    assertThat(written.stages().firstKey()).isEqualTo(1);
    try (RelayPipeline pipeline = RelayPipeline.open(folder.resolve("guided"))) {
      assertThat(pipeline.stages().getFirst().guide()).isPresent();
      assertThat(pipeline.stages().getFirst().index()).isEqualTo(1);
    }
  }

  @Test
  void anotherDtypeIsAnotherNetwork() {
    PipelineFolder written =
        packer().dtype(DType.BFLOAT16).write(folder.resolve("small"), Existing.REFUSE);

    PipelineFile network = stage(written, 0).network();
    assertThat(network.sourceSha256()).isEmpty();
    assertThat(network.bytes())
        .isLessThan(stage(PipelineFolder.open(shared.resolve("pipeline")), 0).network().bytes());
  }

  @Test
  void networksThatDoNotFitLeaveNothingBehind() {
    StageOptions unfit =
        SECOND.with(((RelayOptions) SECOND.solver()).toBuilder().upScale(3).build());
    PipelinePacker packer = packer().stage(1, packedBy(unfit));

    assertThatThrownBy(() -> packer.write(folder.resolve("unfit"), Existing.REFUSE))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("up_scale = 3 does not divide");
    assertThat(folder).isEmptyDirectory();
  }

  private static PipelinePacker.Source packedBy(StageOptions options) {
    return new PipelinePacker.Source(second(), Optional.empty(), options);
  }

  @Test
  void onlyAPipelineIsReplaced() throws IOException {
    Path target = copy();

    assertThatThrownBy(() -> packer().write(target, Existing.REFUSE))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("already exists");
    PipelineFolder again =
        packer()
            .stage(1, packedBy(SECOND.with(GuidanceOptions.scale(3))))
            .write(target, Existing.REPLACE);
    assertThat(stage(again, 1).options().guidance().scale()).isEqualTo(3);

    Path mine = Files.writeString(target.resolve("notes.txt"), "mine");
    assertThatThrownBy(() -> packer().write(target, Existing.REPLACE))
        .hasMessageContaining("notes.txt: is not part of the pipeline");
    assertThat(mine).exists();
    Path other = Files.createDirectory(folder.resolve("other"));
    assertThatThrownBy(() -> packer().write(other, Existing.REPLACE))
        .hasMessageContaining("is not a pipeline folder: it has no pipeline.json");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactlyInAnyOrder(target, other);
    }
  }

  @Test
  void aMissingOrTruncatedNetworkIsNamed() throws IOException {
    Path copy = copy();
    Path network = copy.resolve("second.safetensors");
    byte[] whole = Files.readAllBytes(network);
    Files.write(network, Arrays.copyOf(whole, whole.length - 1));

    assertThatThrownBy(() -> PipelineFolder.open(copy))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("second.safetensors: has %s bytes", whole.length - 1);
    Files.delete(network);
    assertThatThrownBy(() -> PipelineFolder.open(copy))
        .hasMessageContaining("second.safetensors: cannot be read: no such file or folder");
  }

  @Test
  void aChangedNetworkIsFoundByItsSum() throws IOException {
    Path copy = copy();
    byte[] bytes = Files.readAllBytes(copy.resolve("first.safetensors"));
    bytes[bytes.length - 1] ^= 1;
    Files.write(copy.resolve("first.safetensors"), bytes);

    PipelineFolder opened = PipelineFolder.open(copy);
    assertThatThrownBy(opened::verify)
        .isInstanceOf(FileException.class)
        .hasMessageContaining("first.safetensors: has SHA-256 ");
  }

  /** Each row replaces a part of a correct file, so that only this part is wrong. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"rdm-pipeline\"   | \"zip\"    | is not a pipeline: format must be 'rdm-pipeline'",
        "\"rdm-pipeline\"   | 7          | format must be a string, but is '7'",
        "\"version\" : 1    | \"version\" : 2 | version 2 is not supported, expected 1",
        "\"version\" : 1    | \"version\" : \"1\" | version must be a whole number",
        "\"version\" : 1    | \"version\" : 1, \"version\" : 1 | is not valid JSON: Duplicate",
        "\"version\" : 1    | \"version\" : 1, \"script\" : \"x\" | script is unknown",
        "\"version\" : 1,   | \"version\" : 1 | is not valid JSON",
        "\"stages\"         | \"parts\"  | stages is missing, expected an object",
        "\"first\" :        | \"zeroth\" : | stages.zeroth is unknown",
        "\"first\" :        | \"fourth\" : | stages.third is missing, but there are stages before",
        "\"network\"        | \"net\"    | stages.first.network is missing, expected an object",
        "\"options\"        | \"other\"  | stages.first.options is missing, expected an object",
        "\"num_steps\" : 2  | \"num_steps\" : 0 | stages.first.options.num_steps must be at least",
        "\"num_steps\" : 2  | \"stepz\" : 2 | stages.first.options.stepz is unknown",
        "first.safetensors  | ../first.safetensors | stages.first.network.file must be the name",
        "first.safetensors  | /tmp/first.safetensors | stages.first.network.file must be the name",
        "first.safetensors  | ..\\\\first.safetensors | stages.first.network.file must be",
        "first.safetensors  | .safetensors | stages.first.network.file must be the name",
        "first.safetensors  | first.pkl  | stages.first.network.file must be the name",
        "first.safetensors  | first\\u0000.safetensors | stages.first.network.file must be",
        "first.safetensors  | other.safetensors | other.safetensors: cannot be read",
        "\"bytes\"          | \"size\"   | stages.first.network.bytes is missing",
        "\"sha256\" : \"    | \"sha256\" : \"0 | stages.first.network.sha256 must be 64",
        "\"contrast\" : 0.9 | \"contrast\" : -1 | enhancement.contrast must be a finite number",
        "\"contrast\" : 0.9 | \"contrast\" : \"x\" | enhancement.contrast must be a number",
        "\"contrast\" : 0.9 | \"gamma\" : 1 | enhancement.contrast is missing",
      })
  void invalidDescriptionsAreOneLineThatNamesThePlace(String part, String by, String message)
      throws IOException {
    Path copy = copy();
    Path json = copy.resolve(PipelineFolder.FILE);
    String text = Files.readString(json);
    assertThat(text).contains(part);
    Files.writeString(json, text.replaceFirst(Pattern.quote(part), Matcher.quoteReplacement(by)));

    assertThatThrownBy(() -> PipelineFolder.open(copy))
        .isInstanceOf(FileException.class)
        .hasMessageContaining(message)
        .hasMessageContaining(copy.toString())
        .message()
        .satisfies(line -> assertThat(line.lines()).hasSize(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "``                 | expected a JSON object",
        "[]                 | expected a JSON object",
        "nul                | is not valid JSON",
        "{}                 | is not a pipeline",
        "{\"format\" : \"rdm-pipeline\", \"version\" : 1, \"stages\" : {}} | first is missing",
        "{\"format\" : null | is not valid JSON",
      })
  void otherFilesAreNoPipelines(String text, String message) throws IOException {
    Files.writeString(folder.resolve(PipelineFolder.FILE), text);

    assertThatThrownBy(() -> PipelineFolder.open(folder))
        .isInstanceOf(FileException.class)
        .hasMessageContaining(message);
  }

  @Test
  void depthAndSizeAreBounded() throws IOException {
    Path json = folder.resolve(PipelineFolder.FILE);
    Files.writeString(json, "{\"a\":" + "[".repeat(100_000));
    assertThatThrownBy(() -> PipelineFolder.open(folder))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("is not valid JSON");

    Files.writeString(json, "{\"a\": \"" + "x".repeat(1 << 20) + "\"}");
    assertThatThrownBy(() -> PipelineFolder.open(folder))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("but the maximum is 1048576");
  }

  @Test
  void whatIsNoFolderIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "x");

    assertThatThrownBy(() -> PipelineFolder.open(file))
        .hasMessageContaining("is a file, expected a pipeline folder");
    assertThatThrownBy(() -> PipelineFolder.open(folder.resolve("b")))
        .hasMessageContaining("no such file or folder");
    assertThatThrownBy(() -> PipelineFolder.open(folder))
        .hasMessageContaining("has no pipeline.json");
  }
}
