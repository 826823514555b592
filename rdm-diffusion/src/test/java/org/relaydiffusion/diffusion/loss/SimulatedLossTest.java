// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.testing.HostTraffic;
import org.relaydiffusion.torch.testing.SimulatedGpu;

/**
 * Every loss, with and without augmentation, on a simulated device: the CPU's loss and gradient,
 * and at most one read-back a round.
 */
class SimulatedLossTest {
  private static final long SEED = 11;

  private static final AugmentOptions EVERYTHING =
      AugmentOptions.ofKwargs(
          Stream.of(
                  "xflip",
                  "yflip",
                  "rotate_int",
                  "translate_int",
                  "scale",
                  "rotate_frac",
                  "aniso",
                  "translate_frac",
                  "brightness",
                  "contrast",
                  "lumaflip",
                  "hue",
                  "saturation")
              .collect(Collectors.toMap(name -> name, _ -> 1)));

  static Stream<Arguments> losses() {
    return LossTest.losses()
        .flatMap(loss ->
            Stream.of(Numerics.values())
                .flatMap(n ->
                    Stream.of(
                        arguments(loss, n, null),
                        arguments(loss, n, AugmentOptions.training(0.8)),
                        arguments(loss, n, EVERYTHING))));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void aLossIsTheCpusWithinItsBudget(
      Loss loss, Numerics numerics, @Nullable AugmentOptions augment) {
    double[] expected = lossAndGradient(loss, numerics, augment, Device.CPU);
    try (SimulatedGpu gpu = SimulatedGpu.open()) {
      double[] found = lossAndGradient(loss, numerics, augment, SimulatedGpu.DEVICE);
      assertThat(found).containsExactly(expected);
      HostTraffic round =
          gpu.during(() -> lossAndGradient(loss, numerics, augment, SimulatedGpu.DEVICE));
      // This test's own are an upload, of the images, and two read-backs, of the results.
      assertThat(round.readBacks()).as("%s", round).isLessThanOrEqualTo(2 + 1);
      assertThat(round.waits()).as("%s", round).isLessThanOrEqualTo(1 + 2 + 1);
      // Noise levels, the constants of the blur, and what augmentation drew: nothing waits for
      // them.
      assertThat(round.uploads()).as("%s", round).isLessThanOrEqualTo(1 + 3);
    }
  }

  private static double[] lossAndGradient(
      Loss loss, Numerics numerics, @Nullable AugmentOptions augment, Device device) {
    try (TensorScope _ = TensorScope.open();
        Generator images = Generator.seeded(3)) {
      Generator generator = Generator.global(device).seed(SEED);
      Tensor x = images.rand(DType.FLOAT32, 3, 3, 16, 16).mul(2).add(-1).to(device);
      Tensor factor = Torch.full(0.9, DType.FLOAT32, device, 1).requiresGrad(true);
      AugmentPipe pipe = augment == null ? null : new AugmentPipe(augment, numerics);
      TrainedDenoiser net =
          new TrainedDenoiser() {
            @Override
            public Tensor denoise(
                Tensor noisy, Tensor sigma, @Nullable Tensor labels, @Nullable Tensor rows) {
              return noisy.to(DType.FLOAT32).mul(factor);
            }

            @Override
            public Numerics numerics() {
              return numerics;
            }
          };
      Generator host = device.equals(Device.CPU) ? generator : Generator.global();
      Tensor all = loss.of(net, x, null, pipe, new NoiseSource(host, generator));
      Tensor sum = Reduction.sum(all, Reduction.KeepDim.NO);
      sum.backward();
      return new double[] {sum.item(), Objects.requireNonNull(factor.grad()).item()};
    }
  }
}
