package org.relaydiffusion.launch.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.launch.RdmRun;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** convert, inspect and doctor. Fixture: samplers/relay_cond_cfg. */
class CheckpointCommandsTest {
  private static final Path RELAY =
      Path.of(System.getProperty("rdm.fixtures"), "samplers", "relay_cond_cfg");
  private static final Path SECOND = RELAY.resolve("second.pt");

  @TempDir private Path folder;

  @Test
  void convertedCheckpointsAreVerified() {
    Path target = folder.resolve("second.safetensors");

    RdmRun run = RdmRun.of("convert", "--source=" + SECOND, "--dest=" + target);

    assertThat(run.err()).isEqualTo("rdm convert: %s -> %s%n".formatted(SECOND, target));
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .matches("\\Q%s\\E: \\d+ tensors, all equal to those of .*\\R".formatted(target));
    assertThat(RdmRun.of("inspect", target.toString()).out())
        .contains("safetensors", "ema: EDMPrecond", "img_resolution = 32");
  }

  @Test
  void conversionsAreReportedAsJson() {
    Path target = folder.resolve("half.safetensors");

    RdmRun run =
        RdmRun.of(
            "convert",
            "--quiet",
            "--json",
            "--dtype=bfloat16",
            "--source=" + SECOND,
            "--dest=" + target);

    assertThat(run.err()).isEmpty();
    JsonNode json = json(run);
    assertThat(json.get("all_equal").booleanValue()).isTrue();
    assertThat(json.get("which").stringValue()).isEqualTo("ema");
    assertThat(json.get("tensors").get(0).get("dtype").stringValue()).isEqualTo("bfloat16");
    assertThat(json.get("tensors").get(0).get("sha256").stringValue()).matches("[0-9a-f]{64}");
  }

  @Test
  void aFileThatIsThereIsReplacedOnlyWhenAskedFor() throws IOException {
    Path target = Files.writeString(folder.resolve("mine.safetensors"), "somebody's");

    RdmRun run = RdmRun.of("convert", "--source=" + SECOND, "--dest=" + target);

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.error())
        .isEqualTo(
            "rdm: %s: is there already: give another name, or --overwrite to replace it"
                .formatted(target));
    assertThat(target).hasContent("somebody's");
    assertThat(
            RdmRun.of("convert", "--overwrite", "--source=" + SECOND, "--dest=" + target).code())
        .isZero();
    assertThat(RdmRun.of("inspect", target.toString()).code()).isZero();
  }

  @Test
  void theSourceIsNotWrittenOverByAnyName() throws IOException {
    Path source = Files.copy(SECOND, folder.resolve("second.pt"));
    Path hard = Files.createLink(folder.resolve("hard.safetensors"), source);
    Path link = Files.createSymbolicLink(folder.resolve("link.safetensors"), source);
    for (Path target : new Path[] {source, hard, link}) {
      RdmRun run = RdmRun.of("convert", "--overwrite", "--source=" + source, "--dest=" + target);
      assertThat(run.code()).isEqualTo(2);
      assertThat(run.error()).startsWith("rdm: %s would be written over itself".formatted(source));
    }
    assertThat(source).hasSameBinaryContentAs(SECOND);
  }

  @Test
  void verboseConversionsListTheSums() {
    RdmRun run =
        RdmRun.of("convert", "--verbose", "--source=" + SECOND, "--dest=" + folder.resolve("a"));

    assertThat(run.out()).containsPattern("(?m)^[0-9a-f]{64}  model\\.map_layer0\\.weight float32");
  }

  @Test
  void aNetworkThatIsNotThereIsNamed() {
    RdmRun run =
        RdmRun.of(
            "convert",
            "--quiet",
            "--which=net",
            "--source=" + RELAY.resolve("first.pkl"),
            "--dest=" + folder.resolve("a"));

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .startsWith("rdm: %s: has no network 'net'".formatted(RELAY.resolve("first.pkl")))
        .hasLineCount(1);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void filesThatAreNoCheckpointsAreNamed() throws IOException {
    Path text = Files.writeString(folder.resolve("notes.pkl"), "this is no checkpoint");
    Path missing = folder.resolve("missing.pkl");

    for (Path file : new Path[] {text, missing}) {
      RdmRun run = RdmRun.of("inspect", file.toString());
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.err().lines()).singleElement().asString().startsWith("rdm: " + file + ": ");
    }
  }

  @Test
  void checkpointsAreDescribedAsJson() {
    JsonNode ema = json(RdmRun.of("inspect", "--json", SECOND.toString())).at("/networks/ema");

    assertThat(ema.get("class_name").stringValue()).isEqualTo("EDMPrecond");
    assertThat(ema.at("/init_kwargs/label_dim").intValue()).isEqualTo(4);
    assertThat(ema.get("tensors").size()).isPositive();
  }

  @Test
  void theDoctorNamesLibTorch() {
    RdmRun text = RdmRun.of("doctor");
    JsonNode json = json(RdmRun.of("doctor", "--json"));

    assertThat(text.code()).isZero();
    assertThat(text.out()).containsPattern("(?m)^LibTorch +\\d+\\.\\d+");
    assertThat(json.at("/lib_torch/threads").intValue()).isPositive();
    assertThat(json.at("/machine/usable_cores").intValue()).isPositive();
  }

  private static JsonNode json(RdmRun run) {
    return new JsonMapper().readTree(run.out());
  }
}
