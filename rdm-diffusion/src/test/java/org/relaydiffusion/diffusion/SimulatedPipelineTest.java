// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.testing.HostTraffic;
import org.relaydiffusion.torch.testing.SimulatedGpu;

/**
 * The whole relay on a simulated device: the CPU's pictures, steps within their budget, and one
 * read-back a batch, its pictures.
 */
class SimulatedPipelineTest {
  static Stream<Arguments> relays() {
    return RelayFixture.all()
        .flatMap(relay -> Stream.of(Numerics.values()).map(n -> Arguments.of(relay, n)));
  }

  @ParameterizedTest
  @MethodSource("relays")
  void picturesAreTheCpusWithinTheBudget(RelayFixture fixture, Numerics numerics) {
    Map<Long, Pixels> expected = new TreeMap<>();
    try (RelayPipeline pipeline = fixture.load(numerics);
        Samples samples = pipeline.sample(fixture.request().build())) {
      samples.forEach(sample -> expected.put(sample.seed(), sample.pixels()));
    }
    Differences differences = new Differences();
    List<HostTraffic> later = new ArrayList<>();
    List<HostTraffic> between = new ArrayList<>();
    try (SimulatedGpu gpu = SimulatedGpu.open();
        RelayPipeline pipeline = fixture.load(numerics, SimulatedGpu.DEVICE);
        Samples samples =
            pipeline.sample(
                fixture.request().build(),
                progress -> {
                  // What a device keeps, and latents and labels, come before the first step's end.
                  HostTraffic step = gpu.takeTraffic();
                  (progress.step() > 1 ? later : between).add(step);
                })) {
      int found = 0;
      for (Sample sample : samples) {
        differences.add(sample.pixels(), Objects.requireNonNull(expected.get(sample.seed())));
        found++;
      }
      between.add(gpu.takeTraffic());
      assertThat(found).isEqualTo(expected.size());
    }
    if (numerics == Numerics.EXACT) {
      assertThat(differences.largest()).isZero();
    } else {
      // As RelayPipelineParityTest: fast numerics take other operations on the CPU.
      assertThat(differences.partAbove(2)).isLessThanOrEqualTo(0.01);
    }
    for (HostTraffic step : later) {
      assertThat(step.transfers()).as("%s", step).isLessThanOrEqualTo(1);
      assertThat(step.waits()).as("%s", step).isZero();
    }
    // Stages and batches: pictures are read back once each batch, before its successor's first
    // step.
    for (HostTraffic start : between) {
      assertThat(start.readBacks()).as("%s", start).isLessThanOrEqualTo(1);
    }
  }
}
