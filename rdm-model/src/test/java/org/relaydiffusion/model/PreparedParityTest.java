// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.relaydiffusion.model.layer.Execution;
import org.relaydiffusion.model.layer.Layer;
import org.relaydiffusion.model.layer.Modulations;
import org.relaydiffusion.model.layer.UNetBlock;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;
import tools.jackson.databind.JsonNode;

/**
 * Networks as they are evaluated on a GPU ({@link Execution.Prepared}), computed on the CPU,
 * against the reference's outputs: fixtures networks/*.
 *
 * <p>Tolerance: 2e-5 of the output's largest value, as for {@link Numerics#FAST} on the CPU.
 */
class PreparedParityTest {
  private static final double TOLERANCE = 2e-5;

  private static final Execution.Prepared FLOAT32 =
      new Execution.Prepared(DType.FLOAT32, Device.CPU);

  @TestFactory
  Stream<DynamicTest> everyEvaluationOfEveryNetworkGivesTheReferencesOutput() {
    return Stream.of(
            "adm_cond_aug_attn",
            "adm_grey_cond",
            "adm_uncond_noattn",
            "edm_ddpmpp_cond_aug",
            "edm_song_skip",
            "iddpm_adm",
            "ve_ncsnpp",
            "vp_ddpmpp")
        .flatMap(name -> {
          JsonNode config = Fixtures.json("networks/" + name + "/config.json");
          return config
              .get("calls")
              .valueStream()
              .filter(call -> !call.get("train").asBoolean())
              .map(call ->
                  DynamicTest.dynamicTest(
                      "%s call %s".formatted(name, call.get("index").asInt()),
                      () -> check(name, config, call)));
        });
  }

  private static void check(String name, JsonNode config, JsonNode call) {
    String prefix = "call" + call.get("index").asInt() + ".";
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        SafetensorsFile weights =
            SafetensorsFile.open(Fixtures.path("networks/" + name + "/weights.safetensors"));
        Preconditioner network =
            Preconditioner.load(
                ModelConfig.of(
                    config.get("class_name").asString(),
                    Fixtures.kwargs(config.get("init_kwargs"))),
                weights.tensors(),
                LoadOptions.EXACT)) {
      Layer.prepareAll(network, FLOAT32);
      Map<String, Tensor> io = Fixtures.tensors("networks/" + name + "/io.safetensors");
      Tensor output =
          network.denoise(
              required(io.get(prefix + "x")),
              required(io.get(prefix + "sigma")),
              io.get(prefix + "class_labels"),
              io.get(prefix + "augment_labels"));
      assertThat(Fixtures.distance(output, required(io.get(prefix + "output"))))
          .isLessThan(TOLERANCE);
    }
  }

  @TestFactory
  Stream<DynamicTest> everyBlockGivesTheReferencesOutput() {
    return Fixtures.json("networks/layers/layers.json")
        .valueStream()
        .filter(unit -> unit.get("class_name").asString().equals("UNetBlock"))
        .map(unit -> DynamicTest.dynamicTest(unit.get("name").asString(), () -> checkBlock(unit)));
  }

  /** With its own affine layer, and with the product for all blocks of a network. */
  private static void checkBlock(JsonNode unit) {
    String name = unit.get("name").asString() + ".";
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        UNetBlock block = new UNetBlock(LayerParityTest.block(unit.get("init_kwargs")))) {
      Map<String, Tensor> io = Fixtures.tensors("networks/layers/layers.safetensors");
      block
          .state()
          .forEach((key, p) -> p.set(Shapes.copy(required(io.get(name + "state." + key)))));
      Layer.prepareAll(block, FLOAT32);
      Tensor x = required(io.get(name + "in0"));
      Tensor emb = required(io.get(name + "in1"));
      Tensor expected = required(io.get(name + "output"));
      assertThat(Fixtures.distance(block.forward(x, emb), expected)).isLessThan(TOLERANCE);
      try (Modulations modulations =
          Objects.requireNonNull(Modulations.of(List.of(block), FLOAT32))) {
        Tensor output = block.forward(x, modulations.of(emb, x.size(0)));
        assertThat(Fixtures.distance(output, expected)).isLessThan(TOLERANCE);
      }
    }
  }

  private static ModelConfig severalHeads(String type) {
    Map<String, Object> kwargs = new HashMap<>();
    kwargs.put("img_resolution", 16L);
    kwargs.put("img_channels", 3L);
    kwargs.put("label_dim", 5L);
    kwargs.put("model_type", type);
    kwargs.put("model_channels", 64L);
    kwargs.put("channel_mult", List.of(1L, 2L));
    kwargs.put("num_blocks", 1L);
    kwargs.put("attn_resolutions", List.of(16L, 8L));
    return ModelConfig.of("EDMPrecond", kwargs);
  }

  /** A network all of whose values matter: the reference's first ones are zero in places. */
  private static Preconditioner network(ModelConfig config, Execution execution) {
    LoadOptions options = new LoadOptions(Numerics.EXACT, execution.dtype(), Device.CPU);
    Preconditioner network = Preconditioner.of(config);
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(5)) {
      network
          .state()
          .forEach((name, p) ->
              p.set(
                  p.kind() == Parameter.Kind.BUFFER
                      ? p.initializer().make(generator, p.shape())
                      : generator
                          .randn(DType.FLOAT32, p.shape())
                          .div(Math.sqrt((double) p.numel() / p.shape()[0] + 4))));
    }
    network.loaded(options, Purpose.EVALUATION);
    Layer.prepareAll(network, execution);
    return network;
  }

  @TestFactory
  Stream<DynamicTest> sharedAndSeparateNoiseLevelsAndLabelsGiveWhatExactGives() {
    return Stream.of("DhariwalUNet", "SongUNet")
        .map(type -> DynamicTest.dynamicTest(type, () -> checkOperands(severalHeads(type))));
  }

  private static void checkOperands(ModelConfig config) {
    Execution half = new Execution.Prepared(DType.BFLOAT16, Device.CPU);
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(2);
        Preconditioner exact = network(config, Execution.REFERENCE);
        Preconditioner prepared = network(config, FLOAT32);
        Preconditioner bfloat16 = network(config, half)) {
      for (int n : new int[] {0, 1, 3}) {
        Tensor x = generator.randn(DType.FLOAT64, n, 3, 16, 16);
        Tensor shared = Torch.scalar(0.7);
        Tensor each = Torch.tensor(new double[] {0.1, 3, 40}).to(DType.FLOAT64);
        Tensor rows = Shapes.narrow(Torch.eye(5, DType.FLOAT32), 0, 1, 3);
        Tensor one = Shapes.narrow(rows, 0, 0, 1);
        for (Tensor sigma : List.of(shared, Shapes.narrow(each, 0, 0, n))) {
          for (Tensor labels : new Tensor[] {null, one, Shapes.narrow(rows, 0, 0, n)}) {
            Tensor expected = exact.denoise(x, sigma, labels);
            Tensor actual = prepared.denoise(x, sigma, labels);
            assertThat(actual.shape()).isEqualTo(expected.shape());
            if (n > 0) {
              assertThat(Fixtures.distance(actual, expected)).isLessThan(TOLERANCE);
              // Rounded to 8 bits in each layer.
              assertThat(Fixtures.distance(bfloat16.denoise(x, sigma, labels), expected))
                  .isLessThan(0.1);
            }
          }
        }
      }
    }
  }

  @Test
  void itIsHowFastNetworksAreEvaluatedOnCudaAndIsNotForTraining() {
    LoadOptions cuda = new LoadOptions(Numerics.FAST, DType.BFLOAT16, Device.cuda(1));
    assertThat(cuda.evaluation()).isEqualTo(new Execution.Prepared(DType.BFLOAT16, Device.cuda(1)));
    assertThat(cuda.training()).isEqualTo(new Execution.Direct(DType.BFLOAT16, Device.cuda(1)));
    assertThat(FLOAT32.isDifferentiable()).isFalse();
  }

  @Test
  void graphsAreForFastNumericsOnCuda() {
    assertThatThrownBy(
            () -> new LoadOptions(Numerics.FAST, DType.FLOAT32, Device.CPU, CudaGraphs.ON))
        .hasMessage("CUDA graphs need fast numerics on a CUDA device");
    assertThatThrownBy(
            () -> new LoadOptions(Numerics.EXACT, DType.FLOAT32, Device.cuda(0), CudaGraphs.ON))
        .hasMessage("CUDA graphs need fast numerics on a CUDA device");
  }

  private static Tensor required(@Nullable Tensor tensor) {
    assertThat(tensor).isNotNull();
    return Objects.requireNonNull(tensor);
  }
}
