// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.extension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.RelayPipeline;
import org.relaydiffusion.diffusion.SampleRequest;
import org.relaydiffusion.diffusion.Samples;
import org.relaydiffusion.diffusion.Stage;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.diffusion.fixture.RecordingDenoiser;
import org.relaydiffusion.diffusion.fixture.SamplerNets;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.sampler.Solvers;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;

/** A solver that this project does not know, in one class and one registration. */
class OwnSolverTest {
  private static SampleRequest request(String solver, int steps) {
    return SampleRequest.builder()
        .seeds("0-2")
        .range(StageRange.only(0))
        .solver(0, EdmOptions.DEFAULT.toBuilder().solver(solver).numSteps(steps).build())
        .build();
  }

  private static Map<Long, Pixels> pictures(RelayPipeline pipeline, SampleRequest request) {
    Map<Long, Pixels> pictures = new HashMap<>();
    try (Samples samples = pipeline.sample(request)) {
      samples.forEach(s -> pictures.put(s.seed(), s.pixels()));
    }
    return pictures;
  }

  @Test
  void itIsChosenByName() {
    try (SamplerNets nets = SamplerNets.open("uncond16", LoadOptions.EXACT)) {
      RecordingDenoiser net = new RecordingDenoiser(nets.net());
      try (RelayPipeline pipeline =
          RelayPipeline.of(List.of(new Stage(0, net)), Numerics.EXACT, Device.CPU)) {
        Map<Long, Pixels> own = pictures(pipeline, request("midpoint", 5));
        assertThat(own).hasSize(3);
        assertThat(net.calls).hasSize(2 * 5 - 1);
        assertThat(pictures(pipeline, request("midpoint", 5))).isEqualTo(own);
        assertThat(own).isNotEqualTo(pictures(pipeline, request("heun", 5)));
      }
    }
  }

  @Test
  void itIsListedWithTheOthers() {
    assertThat(Solvers.names(EdmOptions.class)).startsWith("heun").endsWith("midpoint");
    assertThatThrownBy(() -> Solvers.of(EdmOptions.DEFAULT.toBuilder().solver("midpiont").build()))
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith("solver must be heun, ")
        .hasMessageEndingWith(", midpoint, but is 'midpiont'");
    assertThatThrownBy(
            () -> Solvers.of(RelayOptions.DEFAULT.toBuilder().solver("midpoint").build()))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("for a stage that starts from images, but is midpoint");
  }
}
