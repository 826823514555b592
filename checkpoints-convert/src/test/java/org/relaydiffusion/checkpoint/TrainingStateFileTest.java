// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.archive.RawPickle;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import tools.jackson.databind.JsonNode;

class TrainingStateFileTest {
  private static final Path NETWORKS = Fixtures.ROOT.resolve("networks");

  @TempDir Path folder;

  static Stream<Path> networks() throws IOException {
    try (Stream<Path> cases = Files.list(NETWORKS)) {
      List<Path> found =
          cases.filter(c -> Files.exists(c.resolve("weights.safetensors"))).sorted().toList();
      assertThat(found).hasSize(8);
      return found.stream();
    }
  }

  /** Fixtures networks/*: ADM, DDPM++ and NCSN++ under every preconditioner. */
  @ParameterizedTest
  @MethodSource("networks")
  void everyKindOfNetworkComesBackToTheBit(Path network) throws IOException {
    JsonNode config = Fixtures.json(network.resolve("config.json"));
    String className = config.get("class_name").asString();
    Map<String, @Nullable Object> kwargs =
        PlainJson.readObject(config.get("init_kwargs").toString());
    Path file = folder.resolve(TrainingStateFile.name(3));
    try (SafetensorsFile weights = SafetensorsFile.open(network.resolve("weights.safetensors"))) {
      Map<String, TensorSource> tensors = new LinkedHashMap<>();
      weights
          .tensors()
          .forEach((name, data) -> tensors.put(unprefixed(name), TensorSource.of(data)));
      NetworkContents contents = new NetworkContents(className, kwargs, tensors);
      TrainingStateFile.write(
          file, new TrainingState(contents, contents, Optional.empty(), 3000, Map.of()));
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        assertThat(checkpoint.format()).isEqualTo(CheckpointFormat.TORCH_ZIP);
        assertThat(checkpoint.step()).isEqualTo(3000);
        assertThat(checkpoint.extra()).isEmpty();
        for (Which which : Which.values()) {
          NetworkRecord read = checkpoint.network(which);
          NetworkValidator.definition().validate(read);
          assertThat(read.className()).isEqualTo(className);
          assertThat(read.initKwargs()).isEqualTo(kwargs);
          assertThat(ModelConfig.of(className, read.initKwargs()))
              .isEqualTo(ModelConfig.of(className, kwargs));
          assertThat(read.tensors()).hasSameSizeAs(tensors);
          weights
              .tensors()
              .forEach(
                  (name, data) -> assertSame(Fixtures.get(read.tensors(), unprefixed(name)), data));
        }
      }
    }
    assertThat(RawPickle.lines(file))
        .as("what samplers ask the network for, as Python's int or float")
        .contains(attribute("sigma_min", config), attribute("sigma_max", config));
  }

  private static String attribute(String name, JsonNode config) {
    JsonNode value = config.get(name);
    return "/ema()/0/state/%s = %s"
        .formatted(
            name,
            value.isString()
                ? "Double Infinity"
                : value.isInt() ? "Long " + value : "Double " + value);
  }

  private static String unprefixed(String name) {
    return name.startsWith("net.") ? name.substring("net.".length()) : name;
  }

  static Stream<Path> states() throws IOException {
    return OfficialFormTest.trainingStates();
  }

  /** Fixtures checkpoints/* and training/blur_accum2_cond. */
  @ParameterizedTest
  @MethodSource("states")
  void networksAndOptimizerComeBackToTheBit(Path official) {
    Path file = folder.resolve("copy.pt");
    try (Checkpoint from = Checkpoint.open(official)) {
      TrainingStateFile.write(file, TrainingState.of(from));
      try (Checkpoint to = Checkpoint.open(file)) {
        assertThat(to.step()).isEqualTo(from.step());
        for (Which which : Which.values()) {
          NetworkRecord wanted = from.network(which);
          NetworkRecord read = to.network(which);
          assertThat(read.className()).isEqualTo(wanted.className());
          assertThat(PlainJson.write(read.initKwargs()))
              .isEqualTo(PlainJson.write(wanted.initKwargs()));
          assertThat(read.modules()).isEqualTo(wanted.modules());
          assertThat(read.parameterNames()).isEqualTo(wanted.parameterNames());
          assertSame(read.tensors(), wanted.tensors());
        }
        OptimizerRecord wanted = from.optimizer().orElseThrow();
        OptimizerRecord read = to.optimizer().orElseThrow();
        assertThat(PlainJson.write(read.groups())).isEqualTo(PlainJson.write(wanted.groups()));
        assertThat(read.parameters().keySet())
            .containsExactlyElementsOf(wanted.parameters().keySet());
        wanted
            .parameters()
            .forEach((number, state) -> {
              OptimizerRecord.ParameterState other = Fixtures.get(read.parameters(), number);
              assertThat(other.step()).isEqualTo(state.step()).isPositive();
              assertSame(other.tensors(), state.tensors());
            });
      }
    }
  }

  @Test
  void furtherEntriesComeBackAsPlainValuesAndTensors() {
    byte[] random = new byte[5056];
    for (int i = 0; i < random.length; i++) {
      random[i] = (byte) (31 * i);
    }
    Map<String, @Nullable Object> rdm = new LinkedHashMap<>();
    rdm.put("nimg", 4_000_000_000L);
    rdm.put("seed", -1);
    rdm.put("scale", 65536.0);
    rdm.put("tiny", Double.MIN_VALUE);
    rdm.put("dynamic", true);
    rdm.put("device", null);
    rdm.put("name", "Z\u00fcrich \ud83d\ude80");
    rdm.put("order", List.of(3, 1, 70_000, -70_000));
    rdm.put("rng", List.of(Map.of("cpu", TensorSources.of(random)), Map.of()));
    try (Checkpoint from = Checkpoint.open(anyState())) {
      TrainingState state = TrainingState.of(from);
      Map<String, @Nullable Object> extra = new LinkedHashMap<>();
      extra.put("rdm", rdm);
      extra.put("version", 1);
      Path file = folder.resolve("extra.pt");
      TrainingStateFile.write(
          file,
          new TrainingState(state.ema(), state.net(), state.optimizer(), state.step(), extra));
      try (Checkpoint to = Checkpoint.open(file)) {
        assertThat(to.extra().keySet()).containsExactly("rdm", "version");
        assertThat(to.extra().get("version")).isEqualTo(1L);
        Map<?, ?> read = (Map<?, ?>) Fixtures.get(to.extra(), "rdm");
        assertThat(read.get("nimg")).isEqualTo(4_000_000_000L);
        assertThat(read.get("seed")).isEqualTo(-1L);
        assertThat(read.get("scale")).isEqualTo(65536.0);
        assertThat(read.get("tiny")).isEqualTo(Double.MIN_VALUE);
        assertThat(read.get("dynamic")).isEqualTo(true);
        assertThat(read.containsKey("device")).isTrue();
        assertThat(read.get("device")).isNull();
        assertThat(read.get("name")).isEqualTo("Z\u00fcrich \ud83d\ude80");
        assertThat(read.get("order")).isEqualTo(List.of(3L, 1L, 70_000L, -70_000L));
        Map<?, ?> first = (Map<?, ?>) ((List<?>) Fixtures.get(read, "rng")).getFirst();
        StoredTensor tensor = (StoredTensor) Fixtures.get(first, "cpu");
        assertThat(tensor.dtype()).isEqualTo(DType.UINT8);
        assertThat(tensor.shape()).containsExactly(random.length);
        assertThat(Fixtures.bytes(tensor.data())).isEqualTo(random);
        assertThat(read.keySet().stream().map(String::valueOf))
            .containsExactlyElementsOf(rdm.keySet());
        Path again = folder.resolve("again.pt");
        TrainingStateFile.write(again, TrainingState.of(to));
        assertThat(again).hasSameBinaryContentAs(file);
      }
    }
  }

  @Test
  void aLiveNetworkIsWrittenWithTheValuesItHas() {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("model_channels", 4);
    kwargs.put("channel_mult", List.of(1, 1));
    kwargs.put("num_blocks", 1);
    kwargs.put("attn_resolutions", List.of(8));
    kwargs.put("img_resolution", 8);
    kwargs.put("img_channels", 3);
    Path file = folder.resolve("live.pt");
    try (Generator generator = Generator.seeded(7);
        Preconditioner network =
            Preconditioner.initialized(
                ModelConfig.of("EDMPrecond", kwargs), generator, LoadOptions.EXACT)) {
      NetworkContents contents = NetworkContents.of(network, kwargs);
      TrainingStateFile.write(
          file, new TrainingState(contents, contents, Optional.empty(), 0, Map.of()));
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        checkpoint
            .network(Which.NET)
            .tensors()
            .forEach((name, stored) -> {
              try (Tensor value = Fixtures.get(network.state(), name).value().contiguous()) {
                assertSame(
                    stored, TensorData.contiguous(value.dtype(), value.shape(), value.memory()));
              }
            });
      }
    }
  }

  @Test
  void onlyParametersThatHaveMovedHaveAState() {
    try (Checkpoint from = Checkpoint.open(anyState())) {
      TrainingState state = TrainingState.of(from);
      Map<Long, OptimizerContents.Moments> moments = new LinkedHashMap<>();
      moments.put(2L, Fixtures.get(state.optimizer().orElseThrow().parameters(), 2L));
      Path file = folder.resolve("adam.pt");
      TrainingStateFile.write(
          file,
          new TrainingState(
              state.ema(),
              state.net(),
              Optional.of(
                  OptimizerContents.adam(
                      new OptimizerContents.Settings(1e-4, 0.9, 0.999, 1e-8), 65, moments)),
              1,
              Map.of()));
      try (Checkpoint to = Checkpoint.open(file)) {
        OptimizerRecord optimizer = to.optimizer().orElseThrow();
        assertThat(optimizer.parameters()).containsOnlyKeys(2L);
        Map<String, ?> group = optimizer.groups().getFirst();
        assertThat(group.get("lr")).isEqualTo(1e-4);
        assertThat((List<?>) Fixtures.get(group, "params")).hasSize(65);
        assertThat(group.keySet())
            .containsExactlyElementsOf(from.optimizer().orElseThrow().groups().getFirst().keySet());
      }
    }
  }

  @Test
  void theFileIsAZipThatOthersOpenWithTensorsAtMultiplesOf64() throws IOException {
    Path file = folder.resolve("zip.pt");
    try (Checkpoint from = Checkpoint.open(anyState())) {
      TrainingStateFile.write(file, TrainingState.of(from));
    }
    try (ZipFile zip = new ZipFile(file.toFile());
        Checkpoint checkpoint = Checkpoint.open(file)) {
      assertThat(zip.stream().map(e -> e.getName()))
          .startsWith("archive/data.pkl", "archive/byteorder", "archive/data/0")
          .endsWith("archive/version");
      for (var entry : zip.stream().toList()) {
        // Reading to the end compares the checksum.
        assertThat(zip.getInputStream(entry).readAllBytes()).hasSize((int) entry.getSize());
      }
      checkpoint
          .network()
          .tensors()
          .values()
          .forEach(tensor -> {
            assertThat(tensor.raw().memory().address() % 64).isZero();
            assertThat(tensor.data().memory().address()).isEqualTo(tensor.raw().memory().address());
          });
    }
  }

  @Test
  void aTensorThatIsMissingIsNamedAndNothingIsWritten() throws IOException {
    try (Checkpoint from = Checkpoint.open(anyState())) {
      TrainingState state = TrainingState.of(from);
      Map<String, TensorSource> fewer = new LinkedHashMap<>(state.ema().tensors());
      fewer.remove("model.map_layer1.bias");
      NetworkContents broken =
          new NetworkContents(state.ema().className(), state.ema().initKwargs(), fewer);
      Path file = folder.resolve("broken.pt");
      assertThatThrownBy(() ->
              TrainingStateFile.write(
                  file, new TrainingState(broken, state.net(), state.optimizer(), 0, Map.of())))
          .isInstanceOf(FileException.class)
          .hasMessageContaining("broken.pt")
          .hasMessageContaining("model.map_layer1.bias");
    }
    assertThat(folder).isEmptyDirectory();
  }

  /** An error half-way through the tensors, as a full disk gives. */
  @Test
  void anErrorWhileTensorsAreWrittenLeavesTheOldFile() throws IOException {
    Path file = folder.resolve("state.pt");
    Files.writeString(file, "old");
    try (Checkpoint from = Checkpoint.open(anyState())) {
      TrainingState state = TrainingState.of(from);
      Map<String, TensorSource> tensors = new LinkedHashMap<>(state.net().tensors());
      tensors.computeIfPresent("model.out_conv.weight", (_, source) -> new FullDisk(source));
      NetworkContents net =
          new NetworkContents(state.net().className(), state.net().initKwargs(), tensors);
      assertThatThrownBy(() ->
              TrainingStateFile.write(
                  file, new TrainingState(state.ema(), net, state.optimizer(), 0, Map.of())))
          .isInstanceOf(FileException.class)
          .hasMessageContaining("state.pt: cannot be written: No space left on device");
    }
    assertThat(Files.readString(file)).isEqualTo("old");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactly(file);
    }
  }

  private record FullDisk(TensorSource source) implements TensorSource {
    @Override
    public DType dtype() {
      return source.dtype();
    }

    @Override
    public long[] shape() {
      return source.shape();
    }

    @Override
    public void forEachChunk(ChunkConsumer consumer) throws IOException {
      throw new IOException("No space left on device");
    }
  }

  @Test
  void aFolderThatCannotBeWrittenToIsNamed() throws IOException {
    Path notAFolder = Files.writeString(folder.resolve("file"), "");
    try (Checkpoint from = Checkpoint.open(anyState())) {
      TrainingState state = TrainingState.of(from);
      assertThatThrownBy(() -> TrainingStateFile.write(notAFolder.resolve("x.pt"), state))
          .isInstanceOf(FileException.class)
          .hasMessageContaining("x.pt: cannot be written");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ema", "net", "step", "optimizer_state"})
  void theOfficialNamesAreTaken(String key) {
    try (Checkpoint from = Checkpoint.open(anyState())) {
      TrainingState state = TrainingState.of(from);
      assertThatThrownBy(() ->
              TrainingStateFile.write(
                  folder.resolve("x.pt"),
                  new TrainingState(
                      state.ema(), state.net(), state.optimizer(), 0, Map.of(key, 1))))
          .hasMessageContaining("cannot be named '%s'".formatted(key));
    }
  }

  @Test
  void whatCouldNotBeReadBackIsRefusedByName() {
    PlainForm plain = new PlainForm();
    assertThatThrownBy(() -> plain.of("rdm", Map.of("a", List.of(Optional.empty()))))
        .hasMessage("entry 'rdm.a.0' is a Optional, expected a plain value or a tensor");
    assertThatThrownBy(() -> plain.of("rdm", Map.of(1, 2)))
        .hasMessage("entry 'rdm' has a key that is not a string");
    assertThatThrownBy(() -> plain.of("rdm", "x".repeat(70_000)))
        .hasMessage("entry 'rdm' has a string of more than 65536 bytes");
    List<Object> deep = List.of();
    for (int i = 0; i < 17; i++) {
      deep = List.of(deep);
    }
    List<Object> tooDeep = deep;
    assertThatThrownBy(() -> plain.of("rdm", tooDeep)).hasMessageContaining("levels");
  }

  private static Path anyState() {
    return Fixtures.ROOT.resolve("checkpoints/torch2_14_state_cond_fp16/training-state-000123.pt");
  }

  private static void assertSame(Map<String, StoredTensor> read, Map<String, StoredTensor> wanted) {
    assertThat(read.keySet()).containsExactlyElementsOf(wanted.keySet());
    read.forEach((name, tensor) -> assertSame(tensor, Fixtures.get(wanted, name).raw()));
  }

  private static void assertSame(StoredTensor read, TensorData wanted) {
    assertThat(read.dtype()).isEqualTo(wanted.dtype());
    assertThat(read.shape()).isEqualTo(wanted.shape());
    assertThat(Fixtures.bytes(read.raw())).isEqualTo(Fixtures.bytes(wanted));
  }
}
