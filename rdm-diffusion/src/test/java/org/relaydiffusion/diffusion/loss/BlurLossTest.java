// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertClose;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertSame;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.fixture.Tensors;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class BlurLossTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void uniformNumbersGiveTheReferencesNoiseLevels(int number) {
    // losses/blur_schedule: the uniform numbers are given, among them some below the smallest; the
    // network gives back its input, and the only draw is the noise.
    Fixture fixture = Fixture.of("losses/blur_schedule");
    Tensors io = Tensors.read(fixture.file("io.safetensors"));
    String name = "case" + number + ".";
    try (TensorScope _ = TensorScope.open();
        Generator generator =
            Generator.seeded(fixture.json("config.json").path("manual_seed").longValue())) {
      double[] kw = io.get(name + "kw").toDoubles();
      BlurLevels levels = BlurLevels.of(io.get("uniform").toFloats(), kw[0]);
      // Float64 throughout: an exponential may be one unit in the last place off.
      assertClose(levels.on(Device.CPU, 3).sigma(), io.get(name + "sigma"), 1e-15, "sigma");

      TrainedDenoiser identity =
          (x, sigma, _, _) -> {
            // Blurred in float32, which another LibTorch may round otherwise.
            assertClose(x, io.get(name + "net_x"), 1e-6, "the network's input");
            assertSame(sigma, levels.on(Device.CPU, 3).sigma(), "the network's sigma");
            return x.add(0);
          };
      Tensor loss =
          new BlurLoss(0, 4, kw[0], kw[1])
              .of(
                  identity,
                  io.get(name + "images"),
                  null,
                  null,
                  new NoiseSource(generator, generator),
                  levels);
      // The same, squared beside larger errors.
      assertClose(loss, io.get(name + "loss"), 1e-5, "loss");
    }
  }

  @Test
  void noiseLevelsComeFromTheHostAndAllElseFromTheDevice() {
    try (TensorScope _ = TensorScope.open();
        Generator host = Generator.seeded(1);
        Generator device = Generator.seeded(2);
        Generator hostAlone = Generator.seeded(1);
        Generator deviceAlone = Generator.seeded(2)) {
      Tensor images = Torch.zeros(DType.FLOAT32, 3, 1, 8, 8);
      Tensor[] seen = new Tensor[1];
      new BlurLoss(0.15, 4, 0.93, 3)
          .of(
              (x, sigma, _, _) -> {
                seen[0] = sigma.add(0).release();
                return x.to(DType.FLOAT32);
              },
              images,
              null,
              null,
              new NoiseSource(host, device));
      float[] uniform = hostAlone.rand(DType.FLOAT32, 3).toFloats();
      try (Tensor sigma = seen[0]) {
        assertThat(sigma.toDoubles()).containsExactly(BlurLevels.of(uniform, 0.93).sigmas());
      }
      assertSame(host.randn(DType.FLOAT32, 4), hostAlone.randn(DType.FLOAT32, 4), "host");
      // One draw is thrown away, one is the pixels', one the blocks'.
      for (int i = 0; i < 3; i++) {
        deviceAlone.randn(DType.FLOAT32, 3, 1, 8, 8);
      }
      assertSame(device.randn(DType.FLOAT32, 4), deviceAlone.randn(DType.FLOAT32, 4), "device");
    }
  }

  @Test
  void itsWeightIsBounded() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(3)) {
      // A short schedule, whose smallest noise level is 0.0027.
      double probLength = 0.2;
      BlurLevels levels = BlurLevels.of(new float[] {0}, probLength);
      double sigma = levels.sigmas()[0];
      assertThat((sigma * sigma + 0.25) / (0.25 * sigma * sigma)).isGreaterThan(1e5);
      Tensor loss =
          new BlurLoss(0, 1, probLength, 0)
              .of(
                  (x, _, _, _) -> Torch.ones(DType.FLOAT32, x.shape()),
                  Torch.zeros(DType.FLOAT32, 1, 1, 2, 2),
                  null,
                  null,
                  new NoiseSource(generator, generator),
                  levels);
      assertThat(loss.toDoubles()).containsOnly(1e5);
    }
  }

  @Test
  void nonsenseIsRefusedByName() {
    assertThatThrownBy(() -> new BlurLoss(-0.1, 4, 0.93, 3))
        .isInstanceOf(OptionException.class)
        .hasMessage("block_scale must be a finite number of at least 0, but is -0.1");
    assertThatThrownBy(() -> new BlurLoss(0.15, 0, 0.93, 3))
        .isInstanceOf(OptionException.class)
        .hasMessage("up_scale must be at least 1, but is 0");
    assertThatThrownBy(() -> new BlurLoss(0.15, 4, 1.05, 3))
        .isInstanceOf(OptionException.class)
        .hasMessage("prob_length must be in (0, 1] to train, but is 1.05");
    assertThatThrownBy(() -> new BlurLoss(0.15, 4, 0.93, Double.NaN))
        .isInstanceOf(OptionException.class)
        .hasMessage("blur_sigma_max must be a finite number of at least 0, but is NaN");
  }
}
