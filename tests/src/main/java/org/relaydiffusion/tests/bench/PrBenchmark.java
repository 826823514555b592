// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.Locale;
import org.relaydiffusion.metrics.Activations;
import org.relaydiffusion.metrics.PrecisionRecall;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Precision and recall of n samples and n references at 2048 dimensions, compared with a version
 * that computes everything in float64, and the rate of a float32 product alone on the same threads.
 * Ours computes half of the two symmetric matrices, the other one all. Figures are medians.
 *
 * <p>Arguments: {@code [n] [rounds]}; default 10000 3.
 */
public final class PrBenchmark {
  private PrBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) {
    LibTorch.configure(Settings.APPLICATION);
    int n = args.length > 0 ? Integer.parseInt(args[0]) : 10_000;
    int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 3;
    WorkOptions work = WorkOptions.defaults();
    double products = 4.0 * n * n * SyntheticActivations.DIMENSIONS;
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Tensor samples = SyntheticActivations.rows(2, n, 1.05);
      Tensor references = SyntheticActivations.rows(3, n, 1);
      System.out.printf(
          Locale.ROOT,
          "%d x %d rows of %d, k = 3, %d threads, %d rounds%n",
          n,
          n,
          SyntheticActivations.DIMENSIONS,
          work.threads(),
          rounds);
      Activations a = Activations.of("samples", samples);
      Activations b = Activations.of("references", references);
      double[] seconds = new double[rounds];
      double[] alone = new double[rounds];
      double[] float64Seconds = new double[rounds];
      double[] scores = new double[4];
      ProcessMemory.resetPeak();
      long resident = ProcessMemory.resident();
      long peak = 0;
      for (int round = 0; round < rounds; round++) {
        alone[round] = ProductRate.measure(work.threads());
        long start = System.nanoTime();
        PrecisionRecall found = PrecisionRecall.of(a, b, PrecisionRecall.DEFAULT_K, work);
        seconds[round] = (System.nanoTime() - start) / 1e9;
        peak = round == 0 ? ProcessMemory.peak() : peak;
        start = System.nanoTime();
        double[] other = Float64PrecisionRecall.of(samples, references, 3, work.threads());
        float64Seconds[round] = (System.nanoTime() - start) / 1e9;
        scores = new double[] {found.precision(), found.recall(), other[0], other[1]};
      }
      double ours = Samples.median(seconds);
      double theirs = Samples.median(float64Seconds);
      double rate = Samples.median(alone);
      System.out.printf(
          "%-16s %8s %9s %10s %8s%n", "", "seconds", "GFLOP/s", "precision", "recall");
      print("this project", ours, products / ours, scores[0], scores[1]);
      print("all in float64", theirs, 1.5 * products / theirs, scores[2], scores[3]);
      System.out.printf(
          Locale.ROOT,
          "float32 product alone: %.0f GFLOP/s, ratio %.2f; growth of resident memory %.0f MB%n",
          rate / 1e9,
          products / ours / rate,
          (peak - resident) / 1e6);
    }
  }

  private static void print(
      String name, double seconds, double rate, double precision, double recall) {
    System.out.printf(
        Locale.ROOT,
        "%-16s %8.2f %9.0f %10.4f %8.4f%n",
        name,
        seconds,
        rate / 1e9,
        precision,
        recall);
  }
}
