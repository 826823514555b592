// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.List;
import java.util.Locale;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The resident set size and the number of live tensors during many passes of a small network, in
 * both numerics: a leak shows as growth. With a fixed heap ({@code -Xms64m -Xmx64m
 * -XX:+AlwaysPreTouch}), the size of the heap does not affect the result.
 *
 * <p>Arguments: {@code [passes] [exact|fast]}; default 2000 of each.
 */
public final class MemoryBenchmark {
  /** By then, pools, caches and compiled code have reached their size. */
  private static final int WARM_UP = 200;

  private MemoryBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) {
    LibTorch.configure(Settings.APPLICATION);
    int passes = args.length > 0 ? Integer.parseInt(args[0]) : 2000;
    System.out.printf(
        "%-8s %8s %14s %10s %14s%n",
        "variant", "passes", "resident (MB)", "growth", "open tensors");
    try (GradMode _ = GradMode.noGrad();
        Generator generator = Generator.seeded(1)) {
      for (LoadOptions options : List.of(LoadOptions.EXACT, LoadOptions.DEFAULT)) {
        if (args.length < 2 || args[1].equals(name(options))) {
          run(options, passes, generator);
        }
      }
    }
  }

  private static String name(LoadOptions options) {
    return options.numerics().name().toLowerCase(Locale.ROOT);
  }

  private static void run(LoadOptions options, int passes, Generator generator) {
    try (Preconditioner network =
            Preconditioner.initialized(
                SyntheticCheckpoint.config(OfficialNetworks.small(16)), generator, options);
        Tensor x = generator.randn(DType.FLOAT32, 2, 3, 16, 16).release();
        Tensor sigma = Torch.full(2, DType.FLOAT64, 2)) {
      long reference = 0;
      for (int pass = 1; pass <= passes; pass++) {
        try (TensorScope _ = TensorScope.open()) {
          network.denoise(x, sigma, null);
        }
        if (pass == WARM_UP || pass % 500 == 0) {
          System.gc();
          long resident = ProcessMemory.resident();
          reference = pass == WARM_UP ? resident : reference;
          System.out.printf(
              Locale.ROOT,
              "%-8s %8d %14.1f %9.2f%% %14d%n",
              name(options),
              pass,
              resident / 1e6,
              100.0 * (resident - reference) / reference,
              Tensor.liveCount());
        }
      }
    }
  }
}
