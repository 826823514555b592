// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.TensorSources;
import org.relaydiffusion.checkpoint.testing.ModuleFiles;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
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
            "rdm: %s: already exists: choose another name, or use --overwrite to replace it"
                .formatted(target));
    assertThat(target).hasContent("somebody's");
    assertThat(RdmRun.of("convert", "--overwrite", "--source=" + SECOND, "--dest=" + target).code())
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
      assertThat(run.error())
          .startsWith("rdm: %s would be overwritten by itself".formatted(source));
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

  /** The second network's tensors, as {@code torch.save(ddp.state_dict())} leaves them. */
  private Path bareState() throws IOException {
    Path bare = folder.resolve("bare.pt");
    try (Checkpoint second = Checkpoint.open(SECOND)) {
      Map<String, TensorSource> state = new LinkedHashMap<>();
      second
          .network()
          .tensors()
          .forEach((name, tensor) -> state.put("module." + name, TensorSources.of(tensor)));
      ModuleFiles.stateDict(bare, state);
    }
    return bare;
  }

  @Test
  void aBareStateIsConvertedLikeAnotherCheckpoint() throws IOException {
    Path bare = bareState();
    Path target = folder.resolve("a.safetensors");
    Path expected = folder.resolve("b.safetensors");
    RdmRun.of("convert", "--source=" + SECOND, "--dest=" + expected);

    RdmRun run = RdmRun.of("convert", "--source=" + bare, "--dest=" + target, "--like=" + SECOND);

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(target).hasSameBinaryContentAs(expected);
    RdmRun without = RdmRun.of("convert", "--source=" + bare, "--dest=" + folder.resolve("c"));
    assertThat(without.code()).isEqualTo(1);
    assertThat(without.err())
        .contains("'rdm convert' takes a bare state_dict with --config or --like");
    assertThat(RdmRun.of("inspect", bare.toString()).out())
        .contains("has the prefix 'module.'")
        .contains("model.map_layer0.weight float32");
  }

  /** What inspect says of a network is what a configuration needs. */
  @Test
  void aBareStateIsConvertedWithWhatInspectSays() throws IOException {
    JsonNode network = json(RdmRun.of("inspect", "--json", SECOND.toString())).at("/networks/ema");
    Path config =
        Files.writeString(
            folder.resolve("config.json"),
            "{\"class_name\": %s, \"init_kwargs\": %s}"
                .formatted(network.get("class_name"), network.get("init_kwargs")));
    Path target = folder.resolve("a.safetensors");

    RdmRun run =
        RdmRun.of("convert", "--source=" + bareState(), "--dest=" + target, "--config=" + config);

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(RdmRun.of("inspect", target.toString()).out()).contains("ema: EDMPrecond");
    RdmRun both =
        RdmRun.of(
            "convert",
            "--source=" + SECOND,
            "--dest=" + folder.resolve("b"),
            "--config=" + config,
            "--like=" + SECOND);
    assertThat(both.code()).isEqualTo(2);
    assertThat(both.error()).isEqualTo("rdm: --config and --like are mutually exclusive");
    RdmRun over =
        RdmRun.of(
            "convert",
            "--overwrite",
            "--source=" + SECOND,
            "--dest=" + config,
            "--config=" + config);
    assertThat(over.error()).startsWith("rdm: %s would be overwritten by itself".formatted(config));
  }

  @ParameterizedTest
  @CsvSource({"script.pt, TorchScript archive", "module.pkl, pickle of one module"})
  void modulesOfOtherProjectsAreShown(String name, String format) throws IOException {
    Path file = folder.resolve(name);
    try (TensorScope _ = TensorScope.open()) {
      Map<String, TensorSource> state =
          Map.of("layers.conv.weight", TensorSources.of(Torch.ones(DType.FLOAT32, 32, 3, 3, 3)));
      if (name.endsWith(".pkl")) {
        ModuleFiles.pickle(file, state, Set.of());
      } else {
        ModuleFiles.torchScript(file, state);
      }
    }

    RdmRun run = RdmRun.of("inspect", file.toString());

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out().lines())
        .containsExactly(
            "%s: %s".formatted(file, format),
            "layers.conv.weight float32[32, 3, 3, 3]",
            "These are the tensor names of Inception-v3, for metrics: use 'rdm convert"
                + " --inception' for"
                + " this file.");
  }

  /** Its network is broken: that it is also a file of plain tensors is no way out. */
  @Test
  void aBrokenCheckpointIsNotShownAsAModule() throws IOException {
    String header =
        "{\"__metadata__\": {\"rdm.class_name\": \"EDMPrecond\", \"rdm.init_kwargs\": \"null\"},"
            + " \"a\": {\"dtype\": \"U8\", \"shape\": [1], \"data_offsets\": [0, 1]}}";
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.length() + 1).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length()).put(header.getBytes(StandardCharsets.UTF_8));
    Path file = Files.write(folder.resolve("a.safetensors"), bytes.array());

    RdmRun run = RdmRun.of("inspect", file.toString());

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.error())
        .isEqualTo(
            ("rdm: %s: the metadata has, for rdm.init_kwargs, a value that is not a JSON"
                    + " object")
                .formatted(file));
  }

  @Test
  void typesThatCannotBeLoadedAreShown() throws IOException {
    String header =
        "{\"a\": {\"dtype\": \"F8_E4M3\", \"shape\": [2, 3], \"data_offsets\": [0, 6]}}  ";
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.length() + 6).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length()).put(header.getBytes(StandardCharsets.UTF_8));
    Path file = Files.write(folder.resolve("a.safetensors"), bytes.array());

    RdmRun run = RdmRun.of("inspect", file.toString());

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("a: tensor F8_E4M3[2, 3], whose dtype cannot be loaded");
  }

  private static JsonNode json(RdmRun run) {
    return new JsonMapper().readTree(run.out());
  }
}
