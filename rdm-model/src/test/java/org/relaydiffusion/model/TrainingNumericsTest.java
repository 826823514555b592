// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;
import org.relaydiffusion.torch.optim.Adam;
import org.relaydiffusion.torch.optim.AdamOptions;
import org.relaydiffusion.torch.optim.ExponentialMovingAverage;

/** Fast training beside the reference's own operations, whose gradients the fixtures hold. */
class TrainingNumericsTest {
  /** float32 in another order of summation; the distance seen is below 6e-6. */
  private static final double FLOAT32 = 1e-4;

  /**
   * bfloat16 has 8 bits, so an operator rounds by up to 0.4 %; some fifty follow one another, and
   * gradients go through them twice. The distance seen is up to 0.13, in the reference's operations
   * as well.
   */
  private static final double BFLOAT16 = 0.25;

  /** Every kind of layer at 32, 16 and 8 pixels, which lie in memory in different orders. */
  enum Net {
    ADM(
        "EDMPrecond",
        Map.of(
            "img_resolution", 32L,
            "img_channels", 3L,
            "label_dim", 5L,
            "augment_dim", 9L,
            "model_type", "DhariwalUNet",
            "model_channels", 64L,
            "channel_mult", List.of(1L, 2L, 2L),
            "num_blocks", 1L,
            "attn_resolutions", List.of(16L, 8L))),
    DDPMPP(
        "VPPrecond",
        Map.of(
            "img_resolution", 16L,
            "img_channels", 3L,
            "model_type", "SongUNet",
            "model_channels", 16L,
            "channel_mult", List.of(1L, 2L),
            "num_blocks", 1L,
            "attn_resolutions", List.of(16L, 8L))),
    NCSNPP(
        "VEPrecond",
        Map.of(
            "img_resolution",
            16L,
            "img_channels",
            3L,
            "model_type",
            "SongUNet",
            "model_channels",
            16L,
            "channel_mult",
            List.of(1L, 2L),
            "num_blocks",
            1L,
            "embedding_type",
            "fourier",
            "encoder_type",
            "residual",
            "decoder_type",
            "skip",
            "resample_filter",
            List.of(1L, 3L, 3L, 1L)));

    private final String className;

    @SuppressWarnings("ImmutableEnumChecker") // Maps and lists that cannot be changed.
    private final Map<String, Object> kwargs;

    Net(String className, Map<String, Object> kwargs) {
      this.className = className;
      this.kwargs = kwargs;
    }

    ModelConfig config(double dropout) {
      Map<String, Object> all = new HashMap<>(kwargs);
      all.put("dropout", dropout);
      return ModelConfig.of(className, all);
    }
  }

  /** One step's loss, and its derivative by every parameter. */
  private record Step(Tensor loss, Map<String, Tensor> gradients) {}

  /** Nothing is zero, as it is in fresh networks, or half of them would have no gradient. */
  private static Preconditioner network(ModelConfig config, LoadOptions options) {
    try (Generator generator = Generator.seeded(1);
        TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Preconditioner network = Preconditioner.trainable(config, generator, options);
      for (Parameter p : network.parameters()) {
        Tensor drawn = generator.randn(DType.FLOAT32, p.shape());
        boolean matrix = p.shape().length > 1;
        p.value()
            .copyFrom(
                matrix
                    ? drawn.div(Math.sqrt((double) p.numel() / p.shape()[0]))
                    : p.name().equals("weight") ? drawn.mul(0.1).add(1) : drawn.mul(0.1));
      }
      return network;
    }
  }

  private static Step step(Preconditioner network) {
    try (Generator generator = Generator.seeded(2)) {
      ModelConfig c = network.config();
      int r = c.resolution();
      Tensor x = generator.randn(DType.FLOAT32, 2, 3, r, r);
      Tensor sigma = Torch.tensor(new float[] {0.5f, 2}, 2);
      Tensor labels = c.labelDim() == 0 ? null : generator.rand(DType.FLOAT32, 2, c.labelDim());
      Tensor augment =
          c.network().augmentDim() == 0
              ? null
              : generator.randn(DType.FLOAT32, 2, c.network().augmentDim());
      Tensor d = network.denoise(x, sigma, labels, augment);
      Tensor loss = Reduction.sum(Pointwise.square(d), Reduction.KeepDim.NO, 0, 1, 2, 3);
      loss.backward();
      Map<String, Tensor> gradients = new LinkedHashMap<>();
      network
          .state()
          .forEach((name, p) -> {
            try (TensorScope scope = TensorScope.open()) {
              Tensor grad = p.value().grad();
              if (grad != null) {
                assertThat(grad.dtype()).isEqualTo(DType.FLOAT32);
                gradients.put(name, scope.keep(Shapes.copy(grad)));
              }
              p.value().clearGrad();
            }
          });
      assertThat(gradients).hasSize(network.parameters().size());
      return new Step(loss.detach(), gradients);
    }
  }

  private static void compare(Step actual, Step expected, double tolerance) {
    assertThat(Fixtures.distance(actual.loss, expected.loss)).isLessThan(tolerance);
    assertThat(actual.gradients.keySet()).isEqualTo(expected.gradients.keySet());
    expected.gradients.forEach((name, gradient) ->
        assertThat(distance(name, actual, gradient)).as(name).isLessThan(tolerance));
  }

  private static double distance(String name, Step actual, Tensor expected) {
    Tensor gradient = Objects.requireNonNull(actual.gradients.get(name));
    if (!name.endsWith("qkv.bias")) {
      return Fixtures.distance(gradient, expected);
    }
    // A key's bias moves all scores of a query alike: its gradient is rounding noise around zero.
    Tensor without = Torch.tensor(new long[] {0, 2}, 2);
    return Fixtures.distance(
        Shapes.indexSelect(gradient.reshape(-1, 3), 1, without),
        Shapes.indexSelect(expected.reshape(-1, 3), 1, without));
  }

  @ParameterizedTest
  @EnumSource
  void fastGradientsAreTheReferenceOperationsGradients(Net net) {
    try (TensorScope _ = TensorScope.open();
        Preconditioner exact = network(net.config(0), LoadOptions.EXACT);
        Preconditioner fast = network(net.config(0), LoadOptions.DEFAULT)) {
      compare(step(fast), step(exact), FLOAT32);
    }
  }

  @ParameterizedTest
  @EnumSource
  void gradientsInBfloat16AreFloat32AndClose(Net net) {
    try (TensorScope _ = TensorScope.open();
        Preconditioner exact = network(net.config(0), LoadOptions.EXACT)) {
      Step expected = step(exact);
      for (Numerics numerics : Numerics.values()) {
        LoadOptions options = new LoadOptions(numerics, DType.BFLOAT16, Device.CPU);
        try (Preconditioner mixed = network(net.config(0), options)) {
          assertThat(mixed.parameters()).allMatch(p -> p.value().dtype() == DType.FLOAT32);
          compare(step(mixed), expected, BFLOAT16);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5})
  void aSeedGivesTheSameGradientsAgain(double dropout) {
    try (TensorScope _ = TensorScope.open();
        Preconditioner network = network(Net.ADM.config(dropout), LoadOptions.DEFAULT)) {
      Generator.global().seed(5);
      Step first = step(network);
      Generator.global().seed(5);
      Step second = step(network);
      first.gradients.forEach((name, gradient) ->
          assertThat(Objects.requireNonNull(second.gradients.get(name)).toFloats())
              .as(name)
              .isEqualTo(gradient.toFloats()));
    }
  }

  @Test
  void anOptimizerAndAnAverageFitTheOrderOfTheWeights() {
    try (TensorScope _ = TensorScope.open();
        Preconditioner exact = network(Net.ADM.config(0), LoadOptions.EXACT);
        Preconditioner fast = network(Net.ADM.config(0), LoadOptions.DEFAULT)) {
      Map<String, Tensor> expected = trained(exact);
      Map<String, Tensor> actual = trained(fast);
      expected.forEach((name, value) ->
          assertThat(Fixtures.distance(Objects.requireNonNull(actual.get(name)), value))
              .as(name)
              .isLessThan(FLOAT32));
    }
  }

  /** The average after one step with a gradient that is the same for every numerics. */
  private static Map<String, Tensor> trained(Preconditioner network) {
    Map<String, Tensor> values = new LinkedHashMap<>();
    try (Preconditioner average = network.copyForEvaluation();
        Adam adam = new Adam(network.parameters(), AdamOptions.DEFAULT)) {
      step(network);
      for (Parameter p : network.parameters()) {
        Tensor gradient = Shapes.copy(p.value().detach());
        p.value().setGrad(gradient);
      }
      adam.step(0.01);
      adam.clearGradients();
      ExponentialMovingAverage.update(average.parameters(), network.parameters(), 0.75);
      average.state().forEach((name, p) -> values.put(name, Shapes.copy(p.value().contiguous())));
    }
    return values;
  }
}
