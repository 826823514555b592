// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.testing.ModuleFiles;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;
import org.relaydiffusion.model.safetensors.TensorSource;

/** State_dicts without a description, and the names that wrappers leave in them. */
class BareStateTest {
  private static final Path OFFICIAL =
      Fixtures.ROOT.resolve("checkpoints/torch2_14_snapshot_cond/network-snapshot-000123.pkl");

  @TempDir private Path folder;
  private final CheckpointConverter converter =
      new CheckpointConverter(NetworkValidator.definition());

  /** The official network's tensors under other names, in a file by {@code writer}. */
  private Path file(String name, String prefix, Writer writer) throws IOException {
    Path file = folder.resolve(name);
    try (Checkpoint official = Checkpoint.open(OFFICIAL)) {
      Map<String, TensorSource> state = new LinkedHashMap<>();
      official
          .network()
          .tensors()
          .forEach((n, tensor) -> state.put(prefix + n, TensorSources.of(tensor)));
      writer.write(file, state);
    }
    return file;
  }

  private interface Writer {
    void write(Path file, Map<String, TensorSource> state) throws IOException;
  }

  private Path config() throws IOException {
    try (Checkpoint official = Checkpoint.open(OFFICIAL)) {
      NetworkRecord network = official.network();
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("class_name", network.className());
      json.put("init_kwargs", network.initKwargs());
      return Files.writeString(folder.resolve("config.json"), PlainJson.write(json));
    }
  }

  private void assertIsTheOfficialNetwork(Path source, NetworkDescription description) {
    Path target = folder.resolve("converted.safetensors");
    Path expected = folder.resolve("expected.safetensors");
    converter.convert(OFFICIAL, expected, Which.EMA, Optional.empty());

    ConversionReport report =
        converter.convert(source, target, Which.EMA, Optional.empty(), Optional.of(description));

    assertThat(report.allEqual()).isTrue();
    assertThat(target).hasSameBinaryContentAs(expected);
  }

  @ParameterizedTest
  @CsvSource(
      value = {
        "''",
        "module.",
        "_orig_mod.",
        "module._orig_mod.",
        "_orig_mod.module.",
        "ema.",
        "ema.module.",
        "state_dict.",
        "model."
      })
  void aBareStateIsConvertedWithItsConfiguration(String prefix) throws IOException {
    Path bare = file("bare.pt", prefix, ModuleFiles::stateDict);
    assertIsTheOfficialNetwork(bare, NetworkDescription.ofJson(config()));
  }

  @Test
  void aSafetensorsFileIsConvertedLikeAnotherNetwork() throws IOException {
    Path bare =
        file(
            "bare.safetensors",
            "module.",
            (file, state) -> SafetensorsWriter.writeSources(file, state, Map.of()));
    assertIsTheOfficialNetwork(bare, NetworkDescription.like(OFFICIAL));
  }

  @Test
  void namesAreShownWithoutTheirPrefix() throws IOException {
    Path bare = file("bare.pt", "module.", ModuleFiles::stateDict);
    try (Checkpoint checkpoint = Checkpoint.open(bare);
        ModuleFile module = ModuleFile.open(bare)) {
      assertThat(checkpoint.prefix()).isEqualTo("module.");
      assertThat(checkpoint.tensors()).containsKey("model.map_layer0.weight");
      assertThat(checkpoint.summary().lines())
          .contains("the name of every tensor has the prefix 'module.'");
      assertThat(module.tensors()).containsKey("model.map_layer0.weight");
      assertThatThrownBy(checkpoint::network)
          .isInstanceOf(FileException.class)
          .hasMessageContaining("'rdm convert' takes a bare state_dict with --config or --like");
    }
    Path mixed =
        file(
            "mixed.pt",
            "module.",
            (file, state) -> {
              state.put("other", state.values().iterator().next());
              ModuleFiles.stateDict(file, state);
            });
    try (Checkpoint checkpoint = Checkpoint.open(mixed)) {
      assertThat(checkpoint.prefix()).isEmpty();
      assertThat(checkpoint.tensors()).containsKeys("other", "module.model.map_layer0.weight");
    }
  }

  @Test
  void whatTheConfigurationDoesNotDescribeIsNamed() throws IOException {
    NetworkDescription description = NetworkDescription.like(OFFICIAL);
    Path target = folder.resolve("converted.safetensors");
    assertThatThrownBy(() ->
            converter.convert(
                OFFICIAL, target, Which.EMA, Optional.empty(), Optional.of(description)))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("contains the configuration of its networks");
    Path part =
        file(
            "part.pt",
            "",
            (file, state) -> {
              state.remove("model.map_layer0.weight");
              ModuleFiles.stateDict(file, state);
            });
    assertThatThrownBy(() ->
            converter.convert(part, target, Which.EMA, Optional.empty(), Optional.of(description)))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(part.toString())
        .hasMessageContaining("model.map_layer0.weight");
    Path odd = Files.writeString(folder.resolve("odd.json"), "{\"class_name\": 3}");
    assertThatThrownBy(() -> NetworkDescription.ofJson(odd))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("\"init_kwargs\"");
    Path broken = Files.writeString(folder.resolve("broken.json"), "{");
    assertThatThrownBy(() -> NetworkDescription.ofJson(broken))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("is not a JSON object");
    assertThat(target).doesNotExist();
  }

  @Test
  void aGitLfsPointerIsNamed() throws IOException {
    Path pointer =
        Files.writeString(
            folder.resolve("first.pkl"),
            """
            version https://git-lfs.github.com/spec/v1
            oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
            size 1184371234
            """);
    assertThatThrownBy(() -> Checkpoint.open(pointer).close())
        .isInstanceOf(FileException.class)
        .hasMessage(
            pointer
                + ": is a Git LFS pointer to a file of 1184371234 bytes: run 'git lfs"
                + " pull' in its repository to fetch it");
  }
}
