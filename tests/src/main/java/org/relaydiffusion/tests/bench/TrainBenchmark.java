// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.relaydiffusion.diffusion.train.Batching.Activations;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;

/**
 * One training step of ADM 64 px, from the loss to the EMA, in all numerics, compared with the
 * throughput of the network's largest convolution alone. Each variant runs in a separate process,
 * because the peak resident set size is one of the figures; the others are medians.
 *
 * <p>Arguments: {@code [batch] [steps] [exact|fast|bf16] [recomputed]}; default 4, 5 and all of
 * them. With {@code recomputed}, blocks are computed again in the backward pass.
 */
public final class TrainBenchmark {
  private static final String CHILD = "org.relaydiffusion.benchmark.variant";

  /** One way to train. */
  private enum Variant {
    EXACT(Numerics.EXACT, DType.FLOAT32),
    FAST(Numerics.FAST, DType.FLOAT32),
    BF16(Numerics.FAST, DType.BFLOAT16);

    @SuppressWarnings("ImmutableEnumChecker") // A record of values.
    private final LoadOptions options;

    Variant(Numerics numerics, DType dtype) {
      options = new LoadOptions(numerics, dtype, Device.CPU);
    }
  }

  private TrainBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) throws IOException, InterruptedException {
    LibTorch.configure(Settings.APPLICATION);
    int batch = args.length > 0 ? Integer.parseInt(args[0]) : 4;
    int steps = args.length > 1 ? Integer.parseInt(args[1]) : 5;
    ModelConfig config = ModelConfig.of("EDMPrecond", OfficialNetworks.adm64());
    String child = System.getProperty(CHILD);
    if (child != null) {
      TrainRun.measure(
              config, Variant.valueOf(child).options, batch, steps, activations(List.of(args)))
          .print();
      return;
    }
    // The backward pass costs twice the forward pass: the gradients of the input and of the weight.
    double flops = 3 * batch * FlopCount.of(config.network());
    System.out.printf(
        Locale.ROOT,
        "ADM 64 px, batch %d: %.0f GFLOP a step, %d steps%n",
        batch,
        flops / 1e9,
        steps);
    System.out.printf(
        "%-6s %8s %8s %9s %9s %6s %5s %9s %18s %6s %10s%n",
        "",
        "seconds",
        "forward",
        "backward",
        "clean-up",
        "Adam",
        "EMA",
        "GFLOP/s",
        "convolution alone",
        "ratio",
        "peak (GB)");
    for (Variant variant : Variant.values()) {
      if (args.length < 3 || variant.name().equalsIgnoreCase(args[2])) {
        print(variant, run(variant, args), flops);
      }
    }
  }

  private static Activations activations(List<String> args) {
    return args.size() > 3 && args.get(3).equals("recomputed")
        ? Activations.RECOMPUTED
        : Activations.KEPT;
  }

  private static void print(Variant variant, TrainRun.Result r, double flops) {
    System.out.printf(
        Locale.ROOT,
        "%-6s %8.2f %8.2f %9.2f %9.2f %6.2f %5.2f %9.0f %18.0f %6.2f %10.2f%n",
        variant.name().toLowerCase(Locale.ROOT),
        r.seconds(),
        r.forward(),
        r.backward(),
        r.cleanUp(),
        r.optimizer(),
        r.average(),
        flops / r.seconds() / 1e9,
        r.convolutionRate() / 1e9,
        flops / r.seconds() / r.convolutionRate(),
        r.peak() / 1e9);
  }

  private static TrainRun.Result run(Variant variant, String... args)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-D" + CHILD + "=" + variant);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(TrainBenchmark.class.getName());
    command.addAll(Arrays.asList(args));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String line;
    try (BufferedReader out = process.inputReader()) {
      line = out.readLine();
    }
    if (process.waitFor() != 0 || line == null) {
      throw new IllegalStateException("the process of variant %s failed".formatted(variant));
    }
    return TrainRun.Result.parse(line);
  }
}
