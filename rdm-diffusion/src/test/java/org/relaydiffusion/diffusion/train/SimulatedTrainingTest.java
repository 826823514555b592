// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
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
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.testing.HostTraffic;
import org.relaydiffusion.torch.testing.SimulatedGpu;

/**
 * Both trainings on a simulated device: losses, augmentation, accumulation over rounds, clean-up of
 * gradients, Adam and the average. The CPU's bits, and at most one read-back a round.
 */
class SimulatedTrainingTest {
  private static final int STEPS = 3;

  static Stream<Arguments> runs() {
    List<TinyRun> runs =
        List.of(TinyRun.blur(STEPS, TinyRun.NO_FILES), TinyRun.edm(6, 3, 1, STEPS));
    return runs.stream()
        .flatMap(run -> Stream.of(Numerics.values()).map(n -> Arguments.of(run, n)));
  }

  private record Trained(Map<String, double[]> values, List<HostTraffic> steps) {}

  @ParameterizedTest
  @MethodSource("runs")
  void aRunGivesTheCpusWeightsWithinItsBudget(TinyRun tiny, Numerics numerics) {
    Trained expected = train(tiny, numerics, Device.CPU, null);
    try (SimulatedGpu gpu = SimulatedGpu.open()) {
      Trained found = train(tiny, numerics, SimulatedGpu.DEVICE, gpu);
      assertThat(found.values.keySet()).isEqualTo(expected.values.keySet());
      if (numerics == Numerics.EXACT) {
        expected.values.forEach(
            (name, values) -> assertThat(found.values.get(name)).as(name).containsExactly(values));
      } else if (tiny.dropout() == 0) {
        // With dropout, fast numerics draw other numbers on the CPU.
        double[] losses = Objects.requireNonNull(expected.values.get("losses"));
        assertThat(found.values.get("losses"))
            .containsExactly(losses, within(1e-4 * Arrays.stream(losses).max().orElse(0)));
      }
      int rounds = tiny.batch() / tiny.perRound();
      for (HostTraffic step : found.steps.subList(1, STEPS)) {
        assertThat(step.readBacks()).as("read-backs: %s", step).isLessThanOrEqualTo(rounds);
        assertThat(step.waits()).as("waits: %s", step).isLessThanOrEqualTo(rounds);
      }
    }
  }

  private static Trained train(
      TinyRun tiny, Numerics numerics, Device device, @Nullable SimulatedGpu gpu) {
    TrainingOptions options =
        on(
            tiny.options(new TrainingOptions.Start.Fresh(), 5),
            new LoadOptions(numerics, DType.FLOAT32, device));
    List<HostTraffic> steps = new ArrayList<>();
    try (ImageFolderDataset dataset = Trainer.open(options);
        TrainingRun run = new TrainingRun(options, World.SINGLE, dataset)) {
      run.begin(0);
      for (int i = 0; i < STEPS; i++) {
        run.prepare();
        run.step();
        if (gpu != null) {
          steps.add(gpu.takeTraffic());
        }
      }
      Map<String, double[]> values = new TreeMap<>();
      collect("network.", run.network(), values);
      collect("average.", run.average(), values);
      run.adam()
          .state()
          .forEach((i, s) -> {
            values.put("expAvg." + i, s.expAvg().toDoubles());
            values.put("expAvgSq." + i, s.expAvgSq().toDoubles());
          });
      values.put(
          "losses",
          new double[] {run.peekLosses().moments().sum(), run.peekLosses().moments().squares()});
      return new Trained(values, steps);
    }
  }

  private static void collect(String prefix, Preconditioner from, Map<String, double[]> into) {
    from.state().forEach((name, p) -> into.put(prefix + name, p.value().toDoubles()));
  }

  private static TrainingOptions on(TrainingOptions o, LoadOptions running) {
    return o.toBuilder().running(running).build();
  }
}
