// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.io.LeasedArena;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;
import tools.jackson.databind.JsonNode;

/** Networks whose values an optimizer or an average writes. */
class TrainableNetworkTest {
  private static final ModelConfig CONFIG =
      ModelConfig.of(
          "EDMPrecond",
          Map.of(
              "img_resolution", 8L,
              "img_channels", 3L,
              "label_dim", 5L,
              "model_channels", 8L,
              "channel_mult", List.of(1L, 2L),
              "num_blocks", 1L,
              "dropout", 0.5));

  private static LoadOptions options(Numerics numerics) {
    return new LoadOptions(numerics, DType.FLOAT32, Device.CPU);
  }

  private static Preconditioner network(Numerics numerics) {
    try (Generator generator = Generator.seeded(1)) {
      return Preconditioner.trainable(CONFIG, generator, options(numerics));
    }
  }

  private static Tensor denoised(Preconditioner network) {
    try (GradMode _ = GradMode.noGrad();
        Generator generator = Generator.seeded(2)) {
      return network.denoise(generator.randn(DType.FLOAT32, 2, 3, 8, 8), Torch.scalar(1.0), null);
    }
  }

  /** Fixture training/edm_seeded_init, to the bit: the draws are the reference's own. */
  @ParameterizedTest
  @EnumSource
  void aTrainingSeedGivesTheReferencesFirstWeights(Numerics numerics) {
    JsonNode config = Fixtures.json("training/edm_seeded_init/config.json");
    Map<String, Object> kwargs = new HashMap<>(Fixtures.kwargs(config.get("network_kwargs")));
    kwargs.remove("class_name");
    kwargs.putAll(Map.of("img_resolution", 16L, "img_channels", 3L, "label_dim", 0L));
    try (TensorScope _ = TensorScope.open();
        // numpy.random.RandomState(0).randint(1 << 31): seed 0, rank 0 of 1.
        Generator generator = Generator.seeded(209652396)) {
      generator.randomInt64(); // The data loader's draw.
      try (Preconditioner network =
          Preconditioner.trainable(
              ModelConfig.of("EDMPrecond", kwargs), generator, options(numerics))) {
        assertThat(network.state().keySet())
            .filteredOn(name -> !name.endsWith("resample_filter"))
            .containsExactlyElementsOf(
                config.get("parameter_order").valueStream().map(JsonNode::asString).toList());
        Map<String, Tensor> expected =
            Fixtures.tensors("training/edm_seeded_init/init.safetensors");
        assertThat(expected.keySet()).isEqualTo(network.state().keySet());
        network
            .state()
            .forEach((name, p) ->
                assertThat(p.value().toFloats())
                    .as(name)
                    .isEqualTo(Objects.requireNonNull(expected.get(name)).toFloats()));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void parametersWantGradientsAndBuffersDoNot(Numerics numerics) {
    try (TensorScope _ = TensorScope.open();
        Preconditioner network = network(numerics)) {
      assertThat(network.isTraining()).isTrue();
      assertThat(network.parameters()).isNotEmpty();
      assertThat(network.parameters()).allMatch(p -> p.kind() == Parameter.Kind.PARAMETER);
      assertThat(network.parameters().stream().mapToLong(Parameter::numel).sum())
          .isEqualTo(network.parameterCount());
    }
  }

  @ParameterizedTest
  @EnumSource
  void aStateIsCopied(Numerics numerics) {
    try (TensorScope _ = TensorScope.open();
        LeasedArena arena = LeasedArena.open()) {
      Map<String, TensorData> state = new LinkedHashMap<>();
      try (Preconditioner source = network(Numerics.EXACT)) {
        source
            .state()
            .forEach((name, p) -> {
              MemorySegment bytes = arena.allocate(4 * p.numel(), 4);
              bytes.copyFrom(p.value().memory());
              state.put(name, TensorData.contiguous(DType.FLOAT32, p.shape(), bytes));
            });
      }
      try (Preconditioner network = Preconditioner.trainable(CONFIG, state, options(numerics))) {
        network.eval();
        Tensor before = denoised(network);
        state.values().forEach(data -> data.memory().fill((byte) 0));
        assertThat(denoised(network).toFloats()).isEqualTo(before.toFloats());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aCopyIsItsOwnAndCanBeWritten(Numerics numerics) {
    try (TensorScope _ = TensorScope.open();
        Preconditioner network = network(numerics);
        Preconditioner copy = network.copyForEvaluation()) {
      assertThat(copy.isTraining()).isFalse();
      assertThat(copy.options()).isEqualTo(network.options());
      network.eval();
      float[] before = denoised(network).toFloats();
      assertThat(denoised(copy).toFloats()).isEqualTo(before);
      for (Map.Entry<String, Parameter> e : copy.state().entrySet()) {
        Tensor value = e.getValue().value();
        Tensor original = Objects.requireNonNull(network.state().get(e.getKey())).value();
        assertThat(value.strides()).as(e.getKey()).isEqualTo(original.strides());
        Pointwise.addInPlace(value, Torch.ones(DType.FLOAT32, value.shape()));
      }
      assertThat(denoised(network).toFloats()).isEqualTo(before);
      assertThat(denoised(copy).toFloats()).isNotEqualTo(before);
    }
  }

  @ParameterizedTest
  @EnumSource
  void dropoutFollowsTheDefaultGenerator(Numerics numerics) {
    try (TensorScope _ = TensorScope.open();
        Preconditioner network = network(numerics)) {
      // Fresh networks have zeros behind their dropout.
      try (GradMode _ = GradMode.noGrad()) {
        network
            .parameters()
            .forEach(p -> p.value().copyFrom(Torch.full(0.1, DType.FLOAT32, p.shape())));
      }
      Generator.global().seed(3);
      float[] first = denoised(network).toFloats();
      float[] second = denoised(network).toFloats();
      Generator.global().seed(3);
      assertThat(denoised(network).toFloats()).isEqualTo(first).isNotEqualTo(second);
    }
  }

  @Test
  void aNetworkThatWasLoadedToBeEvaluatedIsNotCopied() {
    try (Generator generator = Generator.seeded(1);
        Preconditioner network =
            Preconditioner.initialized(CONFIG, generator, LoadOptions.DEFAULT)) {
      assertThatThrownBy(network::copyForEvaluation)
          .isInstanceOf(ModelException.class)
          .hasMessage("only a network that is made to be trained can be copied");
    }
  }
}
