// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.Locale;
import java.util.stream.LongStream;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.sampler.StackedGenerators;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.TensorScope;

/**
 * The noise of images: the CPU's generators, and an A100's computed on the CPU. A batch of 16
 * images is drawn in turn from each; figures are medians.
 *
 * <p>Arguments: {@code [rounds]}; default 30.
 */
public final class NoiseBenchmark {
  private static final int IMAGES = 16;
  private static final int WARM_UP = 10;
  private static final double NANOS = 1e9;

  private NoiseBenchmark() {}

  /** One kind of draw. */
  private record Draw(DType dtype, int side) {}

  /** A source, and the threads it draws on. */
  private record Source(Noise noise, int threads) {}

  /** Runs the benchmark. */
  public static void main(String[] args) {
    LibTorch.configure(Settings.APPLICATION);
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 30;
    int all = NativeThreads.threads();
    Noise a100 = Noise.parse("cuda:a100");
    Source[] sources = {new Source(Noise.CPU, 1), new Source(a100, 1), new Source(a100, all)};
    System.out.printf(
        Locale.ROOT,
        "%s images a draw, %s rounds; images a second%n%-18s %12s %18s %18s %8s%n",
        IMAGES,
        rounds,
        "",
        "CPU's",
        "A100's, 1 thread",
        "A100's, %s threads".formatted(all),
        "ratio");
    for (int side : new int[] {64, 256}) {
      for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
        double[] seconds = medians(sources, new Draw(dtype, side), rounds);
        System.out.printf(
            Locale.ROOT,
            "%-18s %12.0f %18.0f %18.0f %8.1f%n",
            "%s px, %s".formatted(side, dtype.torchName()),
            IMAGES / seconds[0],
            IMAGES / seconds[1],
            IMAGES / seconds[2],
            seconds[0] / seconds[2]);
      }
    }
    NativeThreads.setThreads(all);
  }

  private static double[] medians(Source[] sources, Draw draw, int rounds) {
    double[][] seconds = new double[sources.length][rounds];
    long[] seeds = LongStream.range(0, IMAGES).toArray();
    for (int round = -WARM_UP; round < rounds; round++) {
      for (int s = 0; s < sources.length; s++) {
        NativeThreads.setThreads(sources[s].threads());
        try (StackedGenerators noise = StackedGenerators.of(sources[s].noise(), Device.CPU, seeds);
            TensorScope _ = TensorScope.open()) {
          long start = System.nanoTime();
          noise.randn(draw.dtype(), 3, draw.side(), draw.side());
          if (round >= 0) {
            seconds[s][round] = (System.nanoTime() - start) / NANOS;
          }
        }
      }
    }
    double[] medians = new double[sources.length];
    for (int s = 0; s < sources.length; s++) {
      medians[s] = Samples.median(seconds[s]);
    }
    return medians;
  }
}
