// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.SolverOptions;
import org.relaydiffusion.diffusion.image.PixelValues;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.sampler.Solver;
import org.relaydiffusion.diffusion.sampler.Solvers;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.tests.bench.SolverBenchmarkOptions.Pair;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * How good the pictures of the demo's two stages are with each pair of solvers and so many network
 * calls a stage. A row has
 *
 * <ul>
 *   <li>the Frechet distance and the class accuracy of {@link ShapeScores}: the mean over sets of
 *       pictures with different seeds, and the standard deviation over the sets;
 *   <li>the {@link LongRun.Distances} from a long run of the reference's solvers, where no noise is
 *       drawn in the steps (s_noise 0).
 * </ul>
 *
 * <p>All noise levels of the second stage are below its truncation, so a stage has the same levels
 * with all solvers that take equally many steps. Rows are printed as they are finished.
 *
 * <p>Arguments: {@code [--pictures=N] [--seeds=SETS] [--compared=N] [--calls=N,...]
 * [--solvers=FIRST+SECOND,...] [--device=DEVICE]}; by default 2048 pictures in each of 3 sets, 64
 * that are compared with the long run's, at most 4, 6, 8, 12, 18, 36 and 72 calls, and the CPU.
 * Solvers that do not exist are left out.
 */
public final class SolverBenchmark {
  private static final int BATCH = 64;
  private static final double BELOW_TRUNCATION = 0.899;
  private static final int LONG_FIRST = 120;
  private static final int LONG_SECOND = 150;
  private static final double NANOS = 1e9;

  private final SolverBenchmarkOptions options;
  private final DemoRelay relay;

  private SolverBenchmark(SolverBenchmarkOptions options, DemoRelay relay) {
    this.options = options;
    this.relay = relay;
  }

  /** Runs the benchmark. */
  public static void main(String[] args) throws IOException {
    LibTorch.configure(Settings.APPLICATION);
    try {
      SolverBenchmarkOptions options = SolverBenchmarkOptions.parse(args);
      Torch.requireUsable(options.device());
      try (GradMode _ = GradMode.noGrad();
          DemoRelay relay = DemoRelay.open(options.device())) {
        new SolverBenchmark(options, relay).all();
      }
    } catch (RdmException e) {
      System.err.println("bench solvers: " + e.getMessage());
      System.exit(1);
    }
  }

  private void all() {
    try (ShapeScores scores = options.pictures() > 1 ? ShapeScores.open() : null;
        LongRun longRun = options.compared() > 0 ? longRun() : null) {
      System.out.printf(
          Locale.ROOT,
          "%d sets of %d pictures, %d compared with a long run, %s%n",
          options.sets(),
          options.pictures(),
          options.compared(),
          options.device());
      if (scores != null) {
        System.out.printf(
            Locale.ROOT,
            "the data set's own pictures: distance %.3f%n",
            scores.of(ShapeScores.dataSet(options.pictures(), 3)).distance());
      }
      System.out.printf(
          "| %-28s | %-9s | %-18s | %-17s | %-21s | %s |%n| --- | --- | --- | --- | --- | --- |%n",
          "solvers", "calls", "Frechet distance", "accuracy", "from a long run", "seconds");
      for (Pair pair : options.pairs()) {
        if (!pair.exists()) {
          System.out.printf("no solvers %s%n", pair);
          continue;
        }
        options.calls().forEach(calls -> row(pair, calls, scores, longRun));
      }
    }
  }

  private LongRun longRun() {
    return LongRun.of(
        relay,
        options.compared(),
        BATCH,
        first("heun", LONG_FIRST),
        second("relay", 0, LONG_SECOND));
  }

  private static SolverOptions first(String solver, int steps) {
    return EdmOptions.DEFAULT.toBuilder().solver(solver).numSteps(steps).build();
  }

  private static SolverOptions second(String solver, double noise, int steps) {
    return RelayOptions.DEFAULT.toBuilder()
        .solver(solver)
        .noise(noise)
        .sigmaMax(BELOW_TRUNCATION)
        .numSteps(steps)
        .build();
  }

  private void row(Pair pair, int calls, @Nullable ShapeScores scores, @Nullable LongRun longRun) {
    double noise = RelayOptions.DEFAULT.noise();
    Optional<Run> first = run(n -> first(pair.first(), n), 0, calls);
    Optional<Run> second = run(n -> second(pair.second(), noise, n), 1, calls);
    if (first.isEmpty() || second.isEmpty()) {
      System.out.printf("%s has no run with %s calls%n", pair, calls);
      return;
    }
    long start = System.nanoTime();
    String[] scored = {"", ""};
    if (scores != null) {
      scored = scored(scores, first.get().options(), second.get().options());
    }
    String distances = "";
    if (longRun != null && pair.isDeterministic()) {
      LongRun.Distances d =
          longRun.to(first.get().options(), second(pair.second(), 0, second.get().steps()));
      distances = String.format(Locale.ROOT, "%.2f, %.2f, %.2f", d.first(), d.second(), d.both());
    }
    System.out.printf(
        Locale.ROOT,
        "| %-28s | %-9s | %-18s | %-17s | %-21s | %.0f |%n",
        pair,
        first.get().calls() + " + " + second.get().calls(),
        scored[0],
        scored[1],
        distances,
        (System.nanoTime() - start) / NANOS);
  }

  /** The options of a stage, and how many steps and network calls they take. */
  private record Run(SolverOptions options, int steps, int calls) {}

  /** Returns the longest run of a stage with at most so many calls. */
  private Optional<Run> run(IntFunction<SolverOptions> options, int stage, int most) {
    Denoiser net = relay.network(stage);
    Optional<Run> longest = Optional.empty();
    for (int n = 2; ; n++) {
      SolverOptions next = options.apply(n);
      Solver solver = Solvers.of(next);
      int calls = solver.calls(solver.levels(net).steps());
      if (calls > most) {
        return longest;
      }
      longest = Optional.of(new Run(next, n, calls));
    }
  }

  private String[] scored(ShapeScores scores, SolverOptions first, SolverOptions second) {
    double[] distances = new double[options.sets()];
    double[] accuracies = new double[options.sets()];
    for (int set = 0; set < options.sets(); set++) {
      List<Pixels> pictures = new ArrayList<>();
      // Whole rounds of the classes, so that picture i of a set has class i mod 8.
      long from = (long) set * Math.ceilDiv(options.pictures(), BATCH) * BATCH;
      for (int at = 0; at < options.pictures(); at += BATCH) {
        long[] seeds =
            LongStream.range(from + at, from + Math.min(options.pictures(), at + BATCH)).toArray();
        try (TensorScope _ = TensorScope.open()) {
          Tensor small = relay.first(first, seeds);
          pictures.addAll(PixelValues.pictures(relay.second(second, small, seeds)));
        }
      }
      ShapeScores.Score score = scores.of(pictures);
      distances[set] = score.distance();
      accuracies[set] = 100 * score.accuracy();
    }
    return new String[] {spread(distances, "%.3f ± %.3f"), spread(accuracies, "%.1f ± %.1f %%")};
  }

  private static String spread(double[] values, String format) {
    double mean = Arrays.stream(values).average().orElseThrow();
    double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
    double deviation = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0;
    return String.format(Locale.ROOT, format, mean, deviation);
  }
}
