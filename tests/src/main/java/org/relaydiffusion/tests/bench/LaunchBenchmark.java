// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.guidance.Guidance;
import org.relaydiffusion.diffusion.guidance.GuidanceOptions;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.diffusion.sampler.HeunSolver;
import org.relaydiffusion.diffusion.sampler.RelaySolver;
import org.relaydiffusion.diffusion.sampler.Solver;
import org.relaydiffusion.diffusion.sampler.StackedGenerators;
import org.relaydiffusion.diffusion.sampler.StepListener;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * What a pass of an official network and a sampler's step ask of CUDA: launches, copies and waits,
 * counted by the null runtime, which computes nothing. A step has two passes.
 *
 * <p>Arguments: {@code [64|256] [batch] [device]}; default 64 4 0.
 */
public final class LaunchBenchmark {
  private static final int FEW = 3;
  private static final int MANY = 5;
  private static final double SCALE = 1.5;
  private static final double NO_TRUNCATION = 1000;

  private static final List<Variant> VARIANTS =
      List.of(
          new Variant("exact", Numerics.EXACT, DType.FLOAT32, CudaGraphs.OFF),
          new Variant("exact bf16", Numerics.EXACT, DType.BFLOAT16, CudaGraphs.OFF),
          new Variant("fast", Numerics.FAST, DType.FLOAT32, CudaGraphs.OFF),
          new Variant("fast bf16", Numerics.FAST, DType.BFLOAT16, CudaGraphs.OFF),
          new Variant("fast bf16, graph", Numerics.FAST, DType.BFLOAT16, CudaGraphs.ON));

  private record Variant(String name, Numerics numerics, DType dtype, CudaGraphs graphs) {}

  private LaunchBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) {
    LibTorch.configure(Settings.APPLICATION);
    int resolution = args.length > 0 ? Integer.parseInt(args[0]) : 64;
    int batch = args.length > 1 ? Integer.parseInt(args[1]) : 4;
    Device device = Device.cuda(args.length > 2 ? Integer.parseInt(args[2]) : 0);
    ModelConfig config = ModelConfig.of("EDMPrecond", OfficialNetworks.adm(resolution));
    System.out.printf(
        Locale.ROOT,
        "ADM %d px, batch %d, %s, LibTorch %s%n",
        resolution,
        batch,
        device,
        Torch.library().version());
    System.out.printf(
        "%-18s %-22s %8s %8s %8s %6s %6s %8s%n",
        "variant", "of", "launches", "to dev.", "to host", "waits", "other", "illegal");
    for (Variant variant : VARIANTS) {
      try (GradMode _ = GradMode.noGrad();
          TensorScope _ = TensorScope.open();
          Generator generator = Generator.seeded(1);
          Preconditioner network =
              Preconditioner.initialized(
                  config,
                  generator,
                  new LoadOptions(variant.numerics, variant.dtype, device, variant.graphs))) {
        print(variant, network, batch);
      }
    }
  }

  private static void print(Variant variant, Preconditioner network, int batch) {
    Device device = network.options().device();
    int r = network.resolution();
    Tensor x = Torch.zeros(DType.FLOAT64, device, batch, network.channels(), r, r);
    Tensor sigma = Torch.full(2, DType.FLOAT64, device);
    Tensor labels =
        network.labelDim() == 0
            ? null
            : Torch.zeros(DType.FLOAT32, device, batch, network.labelDim());
    Runnable pass = () -> network.denoise(x, sigma, labels).close();
    // A graph is captured by the second.
    RunCounts captured =
        NullRuntime.count(
            device,
            () -> {
              pass.run();
              pass.run();
            });
    row(variant, "a pass", NullRuntime.count(device, pass));
    if (variant.graphs == CudaGraphs.ON) {
      row(variant, "the first two passes", captured);
    }
    row(variant, "a step, stage 1", step(variant, network, labels, x, LaunchBenchmark::first));
    row(variant, "a step, stage 2", step(variant, network, labels, x, LaunchBenchmark::second));
  }

  private static Solver first(int steps) {
    return new HeunSolver(EdmOptions.DEFAULT.toBuilder().numSteps(steps).build());
  }

  private static Solver second(int steps) {
    return new RelaySolver(
        RelayOptions.DEFAULT.toBuilder().numSteps(steps).truncationSigma(NO_TRUNCATION).build());
  }

  /** What a run with more steps has more. */
  private static RunCounts step(
      Variant variant,
      Preconditioner network,
      @Nullable Tensor labels,
      Tensor x,
      IntFunction<Solver> solver) {
    run(variant, solver.apply(FEW), network, labels, x);
    RunCounts few =
        NullRuntime.count(x.device(), () -> run(variant, solver.apply(FEW), network, labels, x));
    RunCounts many =
        NullRuntime.count(x.device(), () -> run(variant, solver.apply(MANY), network, labels, x));
    return many.beyond(few, MANY - FEW);
  }

  private static void run(
      Variant variant, Solver solver, Preconditioner network, @Nullable Tensor labels, Tensor x) {
    long[] seeds = new long[Math.toIntExact(x.size(0))];
    try (TensorScope _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(Noise.AUTO, x.device(), seeds)) {
      GuidedDenoiser guided =
          Guidance.of(
              GuidanceOptions.scale(SCALE),
              network,
              null,
              labels,
              Guidance.Evaluation.of(variant.numerics));
      solver.sample(guided, Shapes.copy(x), noise, StepListener.NONE);
    }
  }

  private static void row(Variant variant, String of, RunCounts counts) {
    System.out.printf(
        Locale.ROOT,
        "%-18s %-22s %8.0f %8.0f %8.0f %6.0f %6.0f %8.0f%n",
        variant.name,
        of,
        counts.launches(),
        counts.toDevice(),
        counts.toHost(),
        counts.waits(),
        counts.elsewhere(),
        counts.illegal());
  }
}
