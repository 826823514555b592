// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.testing.SimulatedGpu;
import org.relaydiffusion.torch.testing.SimulatedGpu.Observed;
import tools.jackson.databind.JsonNode;

/**
 * Every preconditioner and U-Net on a simulated device: no CPU operand beside one of the device, no
 * copy and no wait in a denoise, the CPU's results, and at another noise level the same calls with
 * the same numbers of the host, which a captured CUDA graph would repeat.
 */
class SimulatedNetworkTest {
  /** As in {@link NetworkParityTest}: fast numerics take other operations on the CPU. */
  private static final double TOLERANCE = 2e-5;

  /** As in {@link TrainingNumericsTest}: fast numerics order memory otherwise on the CPU. */
  private static final double GRADIENT_TOLERANCE = 1e-4;

  private static final List<String> NETWORKS =
      List.of(
          "adm_cond_aug_attn",
          "adm_grey_cond",
          "adm_uncond_noattn",
          "edm_ddpmpp_cond_aug",
          "edm_song_skip",
          "iddpm_adm",
          "ve_ncsnpp",
          "vp_ddpmpp");

  static Stream<Arguments> networks() {
    return NETWORKS.stream()
        .flatMap(name -> Stream.of(Numerics.values()).map(n -> Arguments.of(name, n)));
  }

  static Stream<Arguments> types() {
    return networks()
        .flatMap(a ->
            Stream.of(DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16)
                .map(type -> Arguments.of(a.get()[0], a.get()[1], type)));
  }

  /** A fixture's network, and the operands of its first call. */
  private record Case(ModelConfig config, SafetensorsFile weights, Map<String, Tensor> io)
      implements AutoCloseable {
    static Case of(String name) {
      JsonNode config = Fixtures.json("networks/" + name + "/config.json");
      return new Case(
          ModelConfig.of(
              config.get("class_name").asString(), Fixtures.kwargs(config.get("init_kwargs"))),
          SafetensorsFile.open(Fixtures.path("networks/" + name + "/weights.safetensors")),
          Fixtures.tensors("networks/" + name + "/io.safetensors"));
    }

    Preconditioner load(LoadOptions options) {
      return Preconditioner.load(config, weights.tensors(), options);
    }

    /** Operands that lie on the network's device already. */
    Operands operands(Device device) {
      return new Operands(
          Objects.requireNonNull(operand("x", device)),
          Objects.requireNonNull(operand("sigma", device)),
          operand("class_labels", device),
          operand("augment_labels", device));
    }

    private @Nullable Tensor operand(String name, Device device) {
      Tensor t = io.get("call0." + name);
      return t == null ? null : t.to(device);
    }

    @Override
    public void close() {
      weights.close();
    }
  }

  private record Operands(
      Tensor x, Tensor sigma, @Nullable Tensor labels, @Nullable Tensor augment) {
    Tensor denoise(Preconditioner network, double louder) {
      return network.denoise(x, sigma.mul(louder), labels, augment);
    }
  }

  @ParameterizedTest
  @MethodSource("networks")
  void aDenoiseGivesTheCpusResult(String name, Numerics numerics) {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        Case network = Case.of(name)) {
      Tensor expected;
      try (Preconditioner cpu =
          network.load(new LoadOptions(numerics, DType.FLOAT32, Device.CPU))) {
        expected = network.operands(Device.CPU).denoise(cpu, 1);
      }
      try (SimulatedGpu _ = SimulatedGpu.open();
          Preconditioner gpu =
              network.load(new LoadOptions(numerics, DType.FLOAT32, SimulatedGpu.DEVICE))) {
        Tensor found = network.operands(SimulatedGpu.DEVICE).denoise(gpu, 1);
        assertThat(found.device()).isEqualTo(SimulatedGpu.DEVICE);
        if (numerics == Numerics.EXACT) {
          assertThat(found.toFloats()).containsExactly(expected.toFloats());
        } else {
          assertThat(Fixtures.distance(found.to(Device.CPU), expected)).isLessThan(TOLERANCE);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void aDenoiseCopiesNothingWaitsForNothingAndIsTheSameAtEveryNoiseLevel(
      String name, Numerics numerics, DType dtype) {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        Case files = Case.of(name);
        SimulatedGpu gpu = SimulatedGpu.open();
        Preconditioner network =
            files.load(new LoadOptions(numerics, dtype, SimulatedGpu.DEVICE))) {
      Operands operands = files.operands(SimulatedGpu.DEVICE);
      // What is kept once a device is made now.
      Tensor _ = operands.denoise(network, 1);

      Observed<Tensor> once = gpu.observe(() -> operands.denoise(network, 0.5));
      Observed<Tensor> again = gpu.observe(() -> operands.denoise(network, 3));

      assertThat(once.traffic().events()).as("%s", once.traffic()).isEmpty();
      // The first call is the test's own: the noise level.
      List<String> calls = once.calls().subList(1, once.calls().size());
      assertThat(again.calls().subList(1, again.calls().size())).isEqualTo(calls);
      assertThat(calls).hasSizeGreaterThan(20);
      assertThat(once.calls().getFirst()).isNotEqualTo(again.calls().getFirst());
    }
  }

  @ParameterizedTest
  @MethodSource("networks")
  void trainingGivesTheCpusGradientsWithoutACopy(String name, Numerics numerics) {
    try (TensorScope _ = TensorScope.open();
        Case files = Case.of(name)) {
      Map<String, double[]> expected;
      try (Preconditioner cpu = trainable(files, numerics, Device.CPU)) {
        backward(cpu, files.operands(Device.CPU));
        expected = gradients(cpu);
      }
      try (SimulatedGpu gpu = SimulatedGpu.open();
          Preconditioner network = trainable(files, numerics, SimulatedGpu.DEVICE)) {
        Operands operands = files.operands(SimulatedGpu.DEVICE);
        Observed<Boolean> first = gpu.observe(() -> backward(network, operands));
        assertThat(first.value()).isTrue();
        Map<String, double[]> found = gradients(network);
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        double least =
            1e-3 * expected.values().stream().mapToDouble(v -> largest(v)).max().orElse(0);
        expected.forEach((parameter, gradient) -> {
          double[] mine = Objects.requireNonNull(found.get(parameter));
          double tolerance =
              numerics == Numerics.EXACT
                  ? 0
                  : GRADIENT_TOLERANCE * Math.max(least, largest(gradient));
          assertThat(mine).as(parameter).containsExactly(gradient, within(tolerance));
        });
        Observed<Boolean> second = gpu.observe(() -> backward(network, operands));
        assertThat(second.traffic().events()).as("%s", second.traffic()).isEmpty();
      }
    }
  }

  private static Preconditioner trainable(Case files, Numerics numerics, Device device) {
    Preconditioner network =
        Preconditioner.trainable(
            files.config,
            files.weights.tensors(),
            new LoadOptions(numerics, DType.FLOAT32, device));
    // Without dropout, so that nothing is drawn.
    network.eval();
    return network;
  }

  private static double largest(double[] values) {
    return Arrays.stream(values).map(Math::abs).max().orElse(0);
  }

  private static boolean backward(Preconditioner network, Operands operands) {
    try (TensorScope _ = TensorScope.open()) {
      Tensor y = operands.denoise(network, 1);
      Reduction.sum(y.mul(y), Reduction.KeepDim.NO).backward();
      return true;
    }
  }

  private static Map<String, double[]> gradients(Preconditioner network) {
    Map<String, double[]> gradients = new TreeMap<>();
    try (TensorScope _ = TensorScope.open()) {
      network
          .state()
          .forEach((name, p) -> {
            Tensor gradient = p.value().grad();
            if (gradient != null) {
              gradients.put(name, gradient.toDoubles());
            }
          });
    }
    return gradients;
  }
}
