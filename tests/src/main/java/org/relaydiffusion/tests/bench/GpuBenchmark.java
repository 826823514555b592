// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.nativeconfig.Doctor;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.CudaMemory;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Torch;

/**
 * One forward pass of the official shapes on a GPU, in all numerics, types, layouts and both ways
 * of launching, and then whether the results are right. It prints as it goes, and writes JSON. What
 * the budget of time leaves no room for is named.
 *
 * <p>Arguments: {@code [--budget=SECONDS] [--json=FILE] [--device=cuda[:N]] [--smallest]}; default
 * 330, gpu-bench.json and cuda. {@code --smallest} measures the smallest batch of each group only.
 */
public final class GpuBenchmark {
  private static final double DEFAULT_BUDGET = 330;
  private static final double CHECKS = 45;
  private static final double AIM = 1.2;
  private static final int FEWEST = 3;
  private static final int MOST = 20;
  private static final double NANOS = 1e9;

  private final Device device;
  private final double budget;
  private final boolean smallest;
  private final GpuReport report;
  private @Nullable GpuNetwork weights;
  private final long began = System.nanoTime();

  /** In seconds: cuDNN times its kernels for each new shape and layout, and that takes long. */
  private double longestWarmUp;

  private GpuBenchmark(Device device, double budget, boolean smallest, GpuReport report) {
    this.device = device;
    this.budget = budget;
    this.smallest = smallest;
    this.report = report;
  }

  /** Runs the benchmark. */
  public static void main(String[] args) {
    try {
      System.exit(run(List.of(args)) ? 0 : 1);
    } catch (RdmException e) {
      System.err.println("bench gpu: " + e.getMessage());
      System.exit(1);
    }
  }

  private static boolean run(List<String> args) {
    LibTorch.configure(Settings.APPLICATION);
    Device device = Device.parse(option(args, "--device").orElse("cuda"));
    Torch.requireUsable(device);
    double budget = option(args, "--budget").map(Double::valueOf).orElse(DEFAULT_BUDGET);
    Path json = Path.of(option(args, "--json").orElse("gpu-bench.json"));
    GpuReport report =
        new GpuReport(json, Torch.library().version().toString(), device, name(device));
    return new GpuBenchmark(device, budget, args.contains("--smallest"), report).all();
  }

  private static String name(Device device) {
    return Doctor.examine().cuda().devices().stream()
        .filter(d -> d.index() == device.index())
        .findFirst()
        .map(d ->
            "%s, %s GB, compute capability %s"
                .formatted(d.name(), number("%.0f", d.memoryBytes() / 1e9), d.computeCapability()))
        .orElse("unknown");
  }

  private static Optional<String> option(List<String> args, String name) {
    return args.stream()
        .filter(arg -> arg.startsWith(name + "="))
        .map(arg -> arg.substring(name.length() + 1))
        .findFirst();
  }

  /** Those of one resolution at a time: they take gigabytes. */
  private GpuNetwork weights(int resolution) {
    GpuNetwork known = weights;
    if (known == null || known.resolution() != resolution) {
      weights = null;
      known = new GpuNetwork(resolution);
      weights = known;
    }
    return known;
  }

  private double left() {
    return budget - (System.nanoTime() - began) / NANOS;
  }

  private boolean all() {
    Torch.benchmarkCudnn();
    GpuChecks checks = new GpuChecks(device, report);
    boolean checked = false;
    report.columns();
    for (GpuCase.Group group : GpuCase.all()) {
      // What is most likely to be asked for first, then whether it is right, then the rest.
      if (!checked && group.variant() != GpuCase.Variant.BF16) {
        checks.all(left(), weights(64));
        checked = true;
        report.columns();
      }
      measure(group, checks);
    }
    report.write((System.nanoTime() - began) / NANOS);
    return checks.passed();
  }

  private void measure(GpuCase.Group group, GpuChecks checks) {
    if (left() < 2) {
      group.cases().forEach(c -> report.leftOut(c, "no time left"));
      return;
    }
    ModelConfig config = ModelConfig.of("EDMPrecond", OfficialNetworks.adm(group.network()));
    double flops = FlopCount.of(config.network());
    long start = System.nanoTime();
    try (GradMode _ = GradMode.noGrad();
        Preconditioner network =
            weights(group.network()).load(group.variant(), device, CudaGraphs.OFF)) {
      report.loaded(group, (System.nanoTime() - start) / NANOS);
      GpuCase.Layout layout = GpuCase.Layout.ROWS;
      double perImage = 0;
      for (GpuCase c : group.cases()) {
        if (smallest && c.batch() != 1) {
          continue;
        }
        double reserve = checks.ran() ? 0 : CHECKS;
        if (left() - reserve < 1 + longestWarmUp + FEWEST * 2 * perImage * c.batch()) {
          report.leftOut(c, "no time left");
          continue;
        }
        if (c.layout() != layout) {
          GpuNetwork.toChannelsLast(network);
          layout = c.layout();
        }
        try {
          GpuReport.Row row = measure(network, c, flops * c.batch());
          perImage = row.milliseconds() / 1e3 / c.batch();
          report.row(row);
        } catch (RdmException e) {
          report.leftOut(c, String.valueOf(e.getMessage()));
        }
      }
    } catch (RdmException e) {
      group.cases().forEach(c -> report.leftOut(c, String.valueOf(e.getMessage())));
    }
  }

  private GpuReport.Row measure(Preconditioner network, GpuCase c, double flops) {
    CudaMemory.takePeak(device);
    long warm = System.nanoTime();
    try (GpuPass pass = new GpuPass(network, c)) {
      longestWarmUp = Math.max(longestWarmUp, (System.nanoTime() - warm) / NANOS);
      double once = seconds(pass, 1);
      int passes = (int) Math.clamp(AIM / once, FEWEST, MOST);
      double each = seconds(pass, passes) / passes;
      double[] host = new double[FEWEST];
      for (int i = 0; i < host.length; i++) {
        long start = System.nanoTime();
        pass.launch();
        host[i] = (System.nanoTime() - start) / 1e6;
        pass.finish();
      }
      long peak = CudaMemory.takePeak(device).map(CudaMemory.Peak::allocated).orElse(0L);
      return new GpuReport.Row(
          c, each * 1e3, flops / each / 1e12, Samples.median(host), peak / 1e9, passes);
    }
  }

  /** The time of some passes, from an idle device to an idle one. */
  private static double seconds(GpuPass pass, int passes) {
    pass.finish();
    long start = System.nanoTime();
    for (int i = 0; i < passes; i++) {
      pass.launch();
    }
    pass.finish();
    return (System.nanoTime() - start) / NANOS;
  }

  static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
