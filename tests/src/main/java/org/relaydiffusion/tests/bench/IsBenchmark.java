// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.Locale;
import org.relaydiffusion.metrics.Activations;
import org.relaydiffusion.metrics.InceptionScore;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.metrics.inception.OutputLayer;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The Inception Score of n samples with Inception's 1008 classes. Figures are medians.
 *
 * <p>Arguments: {@code [n] [rounds]}; default 50000 3.
 */
public final class IsBenchmark {
  private static final int CLASSES = 1008;
  private static final int MADE = 5000;

  private IsBenchmark() {}

  /**
   * Repeated rows.
   *
   * @param rows [M, D]
   * @param count apparent number of rows
   */
  private record Repeated(Tensor rows, long count) implements Activations {
    @Override
    public long dimensions() {
      return rows.size(1);
    }

    @Override
    public String name() {
      return "repeated rows";
    }

    @Override
    public Reader open() {
      return new Reader() {
        private long next;

        @Override
        public long remainingRows() {
          return count - next;
        }

        @Override
        public Tensor read(long most) {
          long part = Math.min(most, remainingRows());
          long at = next % (rows.size(0) - most);
          next += part;
          return Shapes.narrow(rows, 0, at, part);
        }

        @Override
        public void close() {
          // Nothing is held.
        }
      };
    }
  }

  /** Runs the benchmark. */
  public static void main(String[] args) {
    LibTorch.configure(Settings.APPLICATION);
    int n = args.length > 0 ? Integer.parseInt(args[0]) : 50_000;
    int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 3;
    WorkOptions work = WorkOptions.defaults();
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad();
        Generator generator = Generator.seeded(1)) {
      Activations rows = new Repeated(SyntheticActivations.rows(2, MADE, 1), n);
      OutputLayer layer =
          new OutputLayer(
              generator.randn(DType.FLOAT32, CLASSES, SyntheticActivations.DIMENSIONS).mul(0.1),
              generator.randn(DType.FLOAT32, CLASSES));
      double[] seconds = new double[rounds];
      double score = 0;
      for (int round = 0; round < rounds; round++) {
        long start = System.nanoTime();
        score = InceptionScore.of(rows, layer, InceptionScore.Options.defaults(), work).mean();
        seconds[round] = (System.nanoTime() - start) / 1e9;
      }
      double median = Samples.median(seconds);
      System.out.printf(
          Locale.ROOT,
          "%d rows, %d classes, %d threads, %d rounds: %.2f seconds, %.0f GFLOP/s, score %.4f%n",
          n,
          CLASSES,
          work.threads(),
          rounds,
          median,
          2.0 * n * CLASSES * SyntheticActivations.DIMENSIONS / median / 1e9,
          score);
    }
  }
}
