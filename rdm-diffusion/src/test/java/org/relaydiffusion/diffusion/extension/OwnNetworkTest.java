// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.extension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.NetworkContents;
import org.relaydiffusion.checkpoint.NetworkSnapshot;
import org.relaydiffusion.checkpoint.NetworkSnapshotFile;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.RelayPipeline;
import org.relaydiffusion.diffusion.SampleRequest;
import org.relaydiffusion.diffusion.Samples;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.ModelException;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.layer.Execution;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The recipes "A network of your own" and "A loss of your own" of docs/architecture.md: an
 * architecture and a preconditioner that this project does not know are saved, loaded and sampled
 * by name.
 */
class OwnNetworkTest {
  private static final Path RECIPE = Path.of("..", "docs", "architecture.md");
  private static final Path SOURCES =
      Path.of("src", "test", "java", "org", "relaydiffusion", "diffusion", "extension");
  private static final Path SERVICES = Path.of("src", "test", "resources", "META-INF", "services");

  private static Map<String, @Nullable Object> kwargs() {
    Map<String, @Nullable Object> kwargs = new HashMap<>();
    kwargs.put("img_resolution", 8L);
    kwargs.put("img_channels", 3L);
    kwargs.put("gain", 0.5);
    kwargs.put("width", 12L);
    return kwargs;
  }

  private static ModelConfig config() {
    return ModelConfig.of("ToyPrecond", kwargs());
  }

  private static Preconditioner trainable(LoadOptions options) {
    try (Generator generator = Generator.seeded(1)) {
      return Preconditioner.trainable(config(), generator, options);
    }
  }

  private static Map<Long, Pixels> pictures(Path file, Numerics numerics) {
    Map<Long, Pixels> pictures = new HashMap<>();
    SampleRequest request =
        SampleRequest.builder()
            .seeds("0-3")
            .range(StageRange.only(0))
            .solver(0, EdmOptions.DEFAULT.toBuilder().numSteps(4).build())
            .build();
    try (RelayPipeline pipeline = RelayPipeline.builder().stage(file).numerics(numerics).load();
        Samples samples = pipeline.sample(request)) {
      samples.forEach(s -> pictures.put(s.seed(), s.pixels()));
    }
    return pictures;
  }

  @Test
  void itIsSavedLoadedAndSampledByName(@TempDir Path folder) {
    Path file = folder.resolve("toy.safetensors");
    try (Preconditioner network = trainable(LoadOptions.EXACT)) {
      assertThat(network.config().preconditioning()).isInstanceOf(ToyPreconditioner.class);
      NetworkSnapshotFile.writeSafetensors(file, NetworkContents.of(network, kwargs()), Which.EMA);
    }
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      assertThat(checkpoint.network().className()).isEqualTo("ToyPrecond");
    }
    Map<Long, Pixels> exact = pictures(file, Numerics.EXACT);
    assertThat(exact).hasSize(4);
    assertThat(exact.values().stream().distinct()).hasSize(4);
    assertThat(pictures(file, Numerics.EXACT)).isEqualTo(exact);
    Map<Long, Pixels> fast = pictures(file, Numerics.FAST);
    assertThat(fast.keySet()).isEqualTo(exact.keySet());
  }

  /** Its convolutions are told how to compute as those of the official networks are. */
  @Test
  void itComputesInEveryExecution() {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(2)) {
      Tensor x = generator.randn(DType.FLOAT32, 2, 3, 8, 8);
      List<float[]> outputs = new ArrayList<>();
      for (LoadOptions options : List.of(LoadOptions.EXACT, LoadOptions.DEFAULT)) {
        try (Generator first = Generator.seeded(1);
            Preconditioner network = Preconditioner.initialized(config(), first, options);
            Preconditioner trained = trainable(options)) {
          if (options.numerics() == Numerics.FAST) {
            assertThat(network.execution()).isInstanceOf(Execution.Packed.class);
            assertThat(trained.execution()).isInstanceOf(Execution.Direct.class);
          }
          outputs.add(network.denoise(x, Torch.scalar(0.7), null).toFloats());
          outputs.add(trained.denoise(x, Torch.scalar(0.7), null).toFloats());
        }
      }
      for (float[] output : outputs) {
        for (int i = 0; i < output.length; i++) {
          assertThat((double) output[i]).isCloseTo(outputs.getFirst()[i], offset(1e-5));
        }
      }
    }
  }

  @Test
  void itsGradientsReachEveryParameter() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(2);
        Preconditioner network = trainable(LoadOptions.DEFAULT)) {
      Tensor x = generator.randn(DType.FLOAT32, 2, 3, 8, 8);
      Tensor d = network.denoise(x, Torch.scalar(0.7), null);
      Reduction.sum(d.mul(d), Reduction.KeepDim.NO, 0, 1, 2, 3).backward();
      network.parameters().forEach(p -> assertThat(p.value().grad()).as(p.name()).isNotNull());
    }
  }

  @Test
  void itsSettingsAreCheckedByName() {
    Map<String, @Nullable Object> kwargs = kwargs();
    kwargs.put("width", 3L);
    assertThatThrownBy(() -> ModelConfig.of("ToyPrecond", kwargs))
        .isInstanceOf(ModelException.class)
        .hasMessage("ToyPrecond: width must be an integer from 4 to 1024, not 3");
    kwargs.put("width", 8L);
    kwargs.put("sigma_data", 0.5);
    assertThatThrownBy(() -> ModelConfig.of("ToyPrecond", kwargs))
        .hasMessage("ToyPrecond has no setting 'sigma_data'");
  }

  @Test
  void theOfficialFormatRefusesItByName(@TempDir Path folder) {
    Path file = folder.resolve("toy.pkl");
    try (Preconditioner network = trainable(LoadOptions.EXACT)) {
      NetworkSnapshot snapshot =
          new NetworkSnapshot(
              NetworkContents.of(network, kwargs()), Optional.empty(), Optional.empty(), Map.of());
      assertThatThrownBy(() -> NetworkSnapshotFile.writePickle(file, snapshot))
          .isInstanceOf(FileException.class)
          .hasMessageContaining("ToyNet is not one of the official U-Nets");
    }
    assertThat(file).doesNotExist();
  }

  /** Each block of code in the recipes stands, line by line, in the files that are tested here. */
  @Test
  void theRecipesAreTheCodeThatIsTested() throws IOException {
    assertIsTested("**A network of your own.**", 3);
    assertIsTested("**A loss of your own.**", 2);
  }

  private static void assertIsTested(String title, int least) throws IOException {
    String page = Files.readString(RECIPE);
    int start = page.indexOf(title);
    assertThat(start).isPositive();
    String recipe = page.substring(start, page.indexOf("\n**", start + 1));
    List<String> blocks = new ArrayList<>();
    Matcher code = Pattern.compile("```\\w+\n(.*?)```", Pattern.DOTALL).matcher(recipe);
    while (code.find()) {
      blocks.add(squeezed(Objects.requireNonNull(code.group(1))));
    }
    assertThat(blocks).hasSizeGreaterThanOrEqualTo(least);
    List<String> tested = new ArrayList<>();
    try (Stream<Path> sources = Files.list(SOURCES);
        Stream<Path> services = Files.list(SERVICES)) {
      for (Path file : Stream.concat(sources, services).toList()) {
        tested.add(squeezed(Files.readString(file)));
      }
    }
    assertThat(blocks).allMatch(block -> tested.stream().anyMatch(t -> t.contains(block)));
  }

  private static String squeezed(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }
}
