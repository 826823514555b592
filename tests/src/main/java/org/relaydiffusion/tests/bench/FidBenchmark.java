// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.relaydiffusion.metrics.Activations;
import org.relaydiffusion.metrics.FrechetDistance;
import org.relaydiffusion.metrics.Moments;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The Frechet distance at 2048 dimensions, of covariances with full rank, of singular ones, and of
 * activations; and the computation of moments. The variants alternate; figures are medians.
 *
 * <p>Arguments: {@code [rounds]}; default 5.
 */
public final class FidBenchmark {
  private static final int MANY = 8000;
  private static final int FEW = 1000;

  private FidBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) {
    LibTorch.configure(Settings.APPLICATION);
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 5;
    WorkOptions work = WorkOptions.defaults();
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Tensor samples = SyntheticActivations.rows(2, MANY, 1.05);
      Tensor references = SyntheticActivations.rows(3, MANY, 1);
      Activations many = Activations.of("samples", samples);
      Activations few = Activations.of("few samples", Shapes.narrow(samples, 0, 0, FEW));
      Activations fewReferences =
          Activations.of("few references", Shapes.narrow(references, 0, 0, FEW));
      try (Moments first = Moments.of(many, work);
          Moments second = Moments.of(Activations.of("references", references), work);
          Moments fewFirst = Moments.of(few, work);
          Moments fewSecond = Moments.of(fewReferences, work);
          Moments blindFirst = Moments.of(fewFirst.mean(), fewFirst.covariance());
          Moments blindSecond = Moments.of(fewSecond.mean(), fewSecond.covariance())) {
        Map<String, Supplier<FrechetDistance>> variants = new LinkedHashMap<>();
        variants.put("moments, full rank", () -> FrechetDistance.between(first, second, work));
        variants.put(
            "moments, samples singular", () -> FrechetDistance.between(fewFirst, second, work));
        variants.put(
            "moments, both singular", () -> FrechetDistance.between(fewFirst, fewSecond, work));
        variants.put(
            "the same, counts unknown",
            () -> FrechetDistance.between(blindFirst, blindSecond, work));
        variants.put("1000 rows, moments", () -> FrechetDistance.between(few, second, work));
        variants.put(
            "1000 rows, 1000 rows", () -> FrechetDistance.between(few, fewReferences, work));
        System.out.printf(
            "%s dimensions, %s threads, %s rounds%n",
            SyntheticActivations.DIMENSIONS, work.threads(), rounds);
        measure(variants, rounds);
        measureMoments(many, work, rounds);
      }
    }
  }

  private static void measure(Map<String, Supplier<FrechetDistance>> variants, int rounds) {
    Map<String, List<Double>> seconds = new LinkedHashMap<>();
    Map<String, FrechetDistance> results = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      variants.forEach((name, variant) -> {
        long start = System.nanoTime();
        results.put(name, variant.get());
        double taken = (System.nanoTime() - start) / 1e9;
        seconds.computeIfAbsent(name, _ -> new ArrayList<>()).add(taken);
      });
    }
    System.out.printf("%-28s %8s %20s %12s%n", "", "seconds", "distance", "condition");
    results.forEach((name, result) ->
        System.out.printf(
            Locale.ROOT,
            "%-28s %8.3f %20.12g %12.3g%n",
            name,
            Samples.median(
                seconds.getOrDefault(name, List.of()).stream().mapToDouble(s -> s).toArray()),
            result.distance(),
            Math.max(result.samples().condition(), result.references().condition())));
  }

  private static void measureMoments(Activations rows, WorkOptions work, int rounds) {
    double[] seconds = new double[rounds];
    for (int round = 0; round < rounds; round++) {
      long start = System.nanoTime();
      Moments.of(rows, work).close();
      seconds[round] = (System.nanoTime() - start) / 1e9;
    }
    double median = Samples.median(seconds);
    System.out.printf(
        Locale.ROOT,
        "moments of %d rows: %.3f seconds, %.0f rows/s%n",
        rows.count(),
        median,
        rows.count() / median);
  }
}
