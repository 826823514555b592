// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.checkpoint.ConversionReport;
import org.relaydiffusion.checkpoint.ModuleFile;
import org.relaydiffusion.checkpoint.TensorSources;
import org.relaydiffusion.checkpoint.testing.ModuleFiles;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Files of every kind, with a narrow network of random values in them. */
class InceptionConverterTest {
  private static final Widths NARROW = new Widths(16);

  @TempDir private Path folder;
  private final TensorScope scope = TensorScope.open();
  private final InceptionV3 network = new InceptionV3(NARROW);

  @BeforeEach
  void fill() {
    try (Generator generator = Generator.seeded(1)) {
      network.initialize(generator);
    }
  }

  @AfterEach
  void close() {
    network.close();
    scope.close();
  }

  /** The kinds of file, each with its way of writing one. */
  enum Kind {
    PICKLE("pickle of one module"),
    TORCH_SCRIPT("TorchScript archive"),
    STATE_DICT("torch zip"),
    SAFETENSORS("safetensors");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    void write(Path file, Map<String, TensorSource> state) throws IOException {
      switch (this) {
        case PICKLE -> ModuleFiles.pickle(file, state, Set.of("mean", "var"));
        case TORCH_SCRIPT -> ModuleFiles.torchScript(file, state);
        case STATE_DICT -> ModuleFiles.stateDict(file, state);
        case SAFETENSORS -> SafetensorsWriter.writeSources(file, state, Map.of());
      }
    }
  }

  private Map<String, TensorSource> published() {
    return WeightFiles.state(network);
  }

  private static TensorSource ones(TensorSource like) {
    return TensorSources.of(Torch.ones(DType.FLOAT32, like.shape()));
  }

  private Map<String, TensorSource> torchvision() {
    return WeightFiles.torchvision(published(), InceptionConverterTest::ones);
  }

  private InceptionConversion convert(Path source) {
    return new InceptionConverter(NARROW).convert(source, folder.resolve("out.safetensors"));
  }

  private Path written(Kind kind, Map<String, TensorSource> state) throws IOException {
    Path file = folder.resolve("source");
    Files.deleteIfExists(file);
    kind.write(file, state);
    return file;
  }

  /** The converted file has the very values of the network that was written. */
  private void assertHolds(Map<String, TensorSource> expected) {
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("out.safetensors"))) {
      assertThat(file.tensors().keySet()).containsExactlyElementsOf(network.state().keySet());
      expected.forEach((name, source) -> {
        float[] values = Torch.fromData(get(file.tensors(), name)).toFloats();
        assertThat(Arrays.equals(values, floats(source))).as(name).isTrue();
      });
    }
  }

  private static <T> T get(Map<String, T> map, String name) {
    return Objects.requireNonNull(map.get(name), name);
  }

  private static float[] floats(TensorSource source) {
    long count = Arrays.stream(source.shape()).reduce(1, Math::multiplyExact);
    ByteBuffer bytes =
        ByteBuffer.allocate((int) (Float.BYTES * count)).order(ByteOrder.LITTLE_ENDIAN);
    try {
      source.forEachChunk(chunk -> bytes.put(chunk.asByteBuffer()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    float[] values = new float[(int) count];
    bytes.flip().asFloatBuffer().get(values);
    return values;
  }

  @ParameterizedTest
  @EnumSource
  void publishedNamesComeOutAsTheyAre(Kind kind) throws IOException {
    Path source = written(kind, published());
    InceptionConversion done = convert(source);
    assertThat(done.kind()).isEqualTo(kind.label);
    assertThat(done.warnings()).isEmpty();
    assertThat(done.report().tensors()).hasSize(378).allMatch(ConversionReport.TensorCheck::equal);
    assertHolds(published());
  }

  @ParameterizedTest
  @EnumSource
  void torchvisionNamesGiveTheSameBits(Kind kind) throws IOException {
    Map<String, TensorSource> state = torchvision();
    assertThat(state).hasSize(472);
    InceptionConversion done = convert(written(kind, state));
    assertThat(done.warnings()).isEmpty();
    assertHolds(published());
  }

  @Test
  void theSumIsThatOfTheValuesWhateverTheFile() throws IOException {
    List<String> sums = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      convert(written(kind, kind == Kind.PICKLE ? torchvision() : published()));
      try (ModuleFile file = ModuleFile.open(folder.resolve("out.safetensors"))) {
        sums.add(file.valuesSha256());
      }
    }
    Map<String, TensorSource> other = published();
    other.put("output.bias", ones(get(other, "output.bias")));
    convert(written(Kind.SAFETENSORS, other));

    assertThat(sums).hasSize(4);
    assertThat(Set.copyOf(sums)).hasSize(1);
    try (ModuleFile file = ModuleFile.open(folder.resolve("out.safetensors"))) {
      assertThat(file.valuesSha256()).isNotIn(sums);
    }
  }

  @Test
  void countersOfBatchesAreAllowed() throws IOException {
    Map<String, TensorSource> state = torchvision();
    WeightFiles.torchvisionNames()
        .keySet()
        .forEach(name ->
            state.put(name + ".bn.num_batches_tracked", TensorSources.of(Torch.scalar(7L))));
    assertThat(state).hasSize(472 + 94);
    convert(written(Kind.STATE_DICT, state));
    assertHolds(published());
  }

  @Test
  void scalesThatAreNotOneAreMultipliedIn() throws IOException {
    Map<String, TensorSource> state = torchvision();
    Tensor scale;
    try (Generator generator = Generator.seeded(5)) {
      scale = generator.rand(DType.FLOAT32, get(state, "Mixed_6a.branch3x3.bn.weight").shape());
    }
    state.put("Mixed_6a.branch3x3.bn.weight", TensorSources.of(scale));
    Path source = written(Kind.STATE_DICT, state);

    InceptionConversion done = convert(source);

    assertThat(done.warnings())
        .containsExactly(
            source
                + ": 1 normalization layers have a scale other than 1, first"
                + " 'Mixed_6a.branch3x3.bn.weight': it was multiplied into weights and means");
    Map<String, TensorSource> expected = published();
    Tensor weight = get(network.state(), "layers.mixed_3.conv.weight").value();
    Tensor mean = get(network.state(), "layers.mixed_3.conv.mean").value();
    expected.put(
        "layers.mixed_3.conv.weight", TensorSources.of(weight.mul(scale.reshape(-1, 1, 1, 1))));
    expected.put("layers.mixed_3.conv.mean", TensorSources.of(mean.mul(scale)));
    assertHolds(expected);
  }

  @Test
  void theHeaderSaysWhatItIsAndWhereFrom() throws IOException {
    Path source = written(Kind.PICKLE, published());
    convert(source);
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("out.safetensors"))) {
      assertThat(file.metadata())
          .containsEntry("rdm.inception", "2015-12-05")
          .containsEntry("rdm.source", "source")
          .containsEntry("rdm.source_kind", "pickle of one module")
          .containsEntry("rdm.source_sha256", InceptionWeights.sha256(source));
    }
  }

  @Test
  void aConvertedFileConvertsToItself() throws IOException {
    convert(written(Kind.STATE_DICT, torchvision()));
    Path first = folder.resolve("first.safetensors");
    Files.move(folder.resolve("out.safetensors"), first);
    convert(first);
    assertHolds(published());
    assertThatThrownBy(() -> new InceptionConverter(NARROW).convert(first, first))
        .isInstanceOf(OptionException.class)
        .hasMessage(first + " would be overwritten by itself");
  }

  // ---- what is refused

  private void assertRefused(ThrowingCallable call, Path file, String... reasons) {
    assertThatThrownBy(call)
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContainingAll(reasons)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n", "\r", "\u001b"));
    assertThat(folder.resolve("out.safetensors")).doesNotExist();
  }

  @Test
  void whatIsMissingAndWhatIsExtraIsListed() throws IOException {
    Map<String, TensorSource> state = published();
    List.of("layers.conv.beta", "layers.mixed.conv.mean", "output.bias", "layers.mixed_9.conv.var")
        .forEach(state::remove);
    state.put("logits.bias", ones(get(state, "layers.conv.mean")));
    Path source = written(Kind.SAFETENSORS, state);
    assertRefused(
        () -> convert(source),
        source,
        "missing: 'layers.conv.beta', 'layers.mixed.conv.mean', 'layers.mixed_9.conv.var' (4 in"
            + " all); unexpected: 'logits.bias' (1 in all)");
  }

  @Test
  void otherShapesAndTypesAreNamed() throws IOException {
    Map<String, TensorSource> state = torchvision();
    state.put("fc.bias", TensorSources.of(Torch.ones(DType.FLOAT32, 1000)));
    Path shape = written(Kind.STATE_DICT, state);
    assertRefused(
        () -> convert(shape), shape, "tensor 'fc.bias' is float32[1000], expected float32[1008]");
    state.put("fc.bias", TensorSources.of(Torch.ones(DType.FLOAT16, 1008)));
    Path type = written(Kind.STATE_DICT, state);
    assertRefused(
        () -> convert(type), type, "tensor 'fc.bias' is float16[1008], expected float32[1008]");
  }

  @Test
  void aNarrowNetworkIsNotThePublishedOne() throws IOException {
    Path source = written(Kind.PICKLE, published());
    assertRefused(
        () -> new InceptionConverter().convert(source, folder.resolve("out.safetensors")),
        source,
        "tensor 'layers.conv.weight' is float32[2, 3, 3, 3], expected float32[32, 3, 3, 3]");
  }

  @Test
  void otherNetworksAreNamed() throws IOException {
    Map<String, TensorSource> state = new LinkedHashMap<>();
    state.put("a", ones(get(published(), "layers.conv.mean")));
    Path source = written(Kind.STATE_DICT, state);
    assertRefused(
        () -> convert(source),
        source,
        "is a torch zip without Inception-v3",
        "neither 'layers.conv.weight' nor 'Conv2d_1a_3x3.conv.weight', but 'a' (1 in all)");
  }

  @ParameterizedTest
  @EnumSource
  void filesThatAreCutOffAreRefused(Kind kind) throws IOException {
    byte[] whole = Files.readAllBytes(written(kind, published()));
    Path cut = folder.resolve("cut");
    for (int i = 0; i < 40; i++) {
      Files.write(cut, Arrays.copyOf(whole, (int) ((long) whole.length * i / 40)));
      assertRefused(() -> convert(cut), cut, "");
    }
  }

  /** A zip has checksums, which show what the structure does not. */
  @Test
  void damagedValuesAreFoundWhereThereAreChecksums() throws IOException {
    Path source = written(Kind.STATE_DICT, published());
    byte[] bytes = Files.readAllBytes(source);
    bytes[bytes.length / 2] ^= 1;
    Files.write(source, bytes);
    Path member = source.resolve("archive/data/376");
    assertRefused(() -> convert(source), member, "is damaged: it has the checksum ");
  }

  // ---- where the file lies

  @Test
  void theOptionComesBeforeTheVariableAndTheCache() throws IOException {
    Path option = Files.createFile(folder.resolve("option"));
    Path variable = Files.createFile(folder.resolve("variable"));
    Path cached = folder.resolve("cache/rdm/inception-2015-12-05.safetensors");
    Map<String, String> environment =
        Map.of("RDM_INCEPTION", variable.toString(), "XDG_CACHE_HOME", folder + "/cache");
    assertThat(InceptionWeights.locate(Optional.of(option), environment)).isEqualTo(option);
    assertThat(InceptionWeights.locate(Optional.empty(), environment)).isEqualTo(variable);
    assertThat(InceptionWeights.cached(environment)).isEqualTo(cached);
    Files.createDirectories(folder.resolve("cache/rdm"));
    Files.createFile(cached);
    assertThat(
            InceptionWeights.locate(
                Optional.empty(), Map.of("XDG_CACHE_HOME", folder + "/cache", "HOME", "/x")))
        .isEqualTo(cached);
    assertThat(InceptionWeights.cached(Map.of("HOME", "/x", "XDG_CACHE_HOME", "relative")))
        .isEqualTo(Path.of("/x/.cache/rdm/inception-2015-12-05.safetensors"));
  }

  @Test
  void aFileThatIsNotThereIsExplained() {
    Map<String, String> environment = Map.of("HOME", folder.toString());
    Path cached = folder.resolve(".cache/rdm/inception-2015-12-05.safetensors");
    assertRefused(
        () -> InceptionWeights.locate(Optional.empty(), environment),
        cached,
        "inception-2015-12-05.pkl",
        "pt_inception-2015-12-05-6726825d.pth",
        "weights-inception-2015-12-05-6726825d.pth",
        "run: rdm convert --inception --source FILE");
    Path given = folder.resolve("given");
    assertRefused(
        () -> InceptionWeights.locate(Optional.of(given), environment),
        given,
        "rdm convert --inception --source FILE --dest " + given);
  }

  @Test
  void whatIsNotConvertedYetIsToldHow() throws IOException {
    Path source = written(Kind.TORCH_SCRIPT, published());
    assertRefused(
        () -> Inception.open(source, LoadOptions.DEFAULT),
        source,
        "is a TorchScript archive, not a converted Inception-v3: run rdm convert --inception"
            + " --source "
            + source);
    Path other = written(Kind.STATE_DICT, Map.of());
    assertRefused(
        () -> Inception.open(other, LoadOptions.DEFAULT),
        other,
        "is a torch zip, not a converted Inception-v3");
  }

  /** The header may say anything: what is opened is checked like any other file. */
  @Test
  void aHeaderThatLiesIsNotBelieved() {
    Path file = folder.resolve("lie.safetensors");
    Map<String, String> header = Map.of("rdm.inception", "2015-12-05");
    SafetensorsWriter.writeSources(file, torchvision(), header);
    assertRefused(
        () -> Inception.open(file, LoadOptions.DEFAULT, NARROW),
        file,
        "is not Inception-v3 of 2015-12-05: missing: 'layers.conv.weight'",
        "(378 in all)");
    SafetensorsWriter.writeSources(file, published(), header);
    assertRefused(
        () -> Inception.open(file, LoadOptions.DEFAULT),
        file,
        "tensor 'layers.conv.weight' is float32[2, 3, 3, 3], expected float32[32, 3, 3, 3]");
  }
}
