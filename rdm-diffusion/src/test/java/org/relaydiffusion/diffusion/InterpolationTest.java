// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.image.PixelValues;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Walks between seeds, and latents of one's own. */
class InterpolationTest {
  private static final EdmOptions DETERMINISTIC =
      EdmOptions.DEFAULT.toBuilder().numSteps(4).build();

  private static RelayPipeline pipeline() {
    return RelayPipeline.of(
        List.of(new Stage(0, new StubDenoiser(8, 3, 0))), Numerics.FAST, Device.CPU);
  }

  private static double[] image(RelayPipeline pipeline, long seed, Latents latents) {
    SampleRequest request =
        SampleRequest.builder().seeds(seed).solver(0, DETERMINISTIC).latents(latents).build();
    try (Tensor images = pipeline.images(request, ProgressListener.NONE)) {
      assertThat(images.shape()).containsExactly(1, 3, 8, 8);
      return images.toDoubles();
    }
  }

  @Test
  void itGoesFromTheImageOfOneSeedToThatOfTheOther() {
    Interpolation walk = new Interpolation(3, 17, 5);
    try (RelayPipeline pipeline = pipeline()) {
      double[] from = image(pipeline, 3, Latents.DRAWN);
      double[] to = image(pipeline, 17, Latents.DRAWN);
      assertThat(image(pipeline, 3, walk.latents(0, Noise.AUTO))).containsExactly(from);
      // Without noise in the steps, the image is that of the latents alone.
      assertThat(image(pipeline, 3, walk.latents(4, Noise.AUTO))).containsExactly(to);
      double[] middle = image(pipeline, 3, walk.latents(2, Noise.AUTO));
      assertThat(middle).isNotEqualTo(from).isNotEqualTo(to);
    }
  }

  @Test
  void latentsOfOnesOwnMustHaveTheShapeOfTheNetwork() {
    try (RelayPipeline pipeline = pipeline()) {
      Latents zeros = (_, drawn) -> Torch.zerosLike(drawn);
      assertThat(image(pipeline, 1, zeros)).containsOnly(0);
      Latents wrong = (_, _) -> Torch.zeros(DType.FLOAT32, Device.CPU, 3, 4, 4);
      assertThatThrownBy(() -> image(pipeline, 1, wrong))
          .isInstanceOf(OptionException.class)
          .hasMessageStartingWith("the latents of seed 1 must be float32[3, 8, 8], but are ");
    }
  }

  @Test
  void theFloatsAreThoseThatBecomePixels() {
    SampleRequest request = SampleRequest.builder().seeds(1, 2, 3).solver(0, DETERMINISTIC).build();
    try (RelayPipeline pipeline = pipeline();
        Samples samples = pipeline.sample(request);
        TensorScope _ = TensorScope.open()) {
      Tensor images = pipeline.images(request, ProgressListener.NONE);
      assertThat(samples.stream().map(Sample::pixels).toList())
          .isEqualTo(PixelValues.pictures(images));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1:2", "1:2:3:4", "a:2:3", "1:2:3.5", "1:2:99999999999"})
  void anythingElseIsRefused(String text) {
    assertThatThrownBy(() -> Interpolation.parse(text))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "an interpolation must be SEED:SEED:FRAMES, such as 3:17:60, but is '%s'"
                .formatted(text));
  }

  @Test
  void itHasAtLeastTwoFrames() {
    assertThat(Interpolation.parse("3:17:60")).hasToString("3:17:60");
    assertThatThrownBy(() -> Interpolation.parse("3:17:1"))
        .hasMessage("an interpolation must have 2 to 10000 frames, but has 1");
  }
}
