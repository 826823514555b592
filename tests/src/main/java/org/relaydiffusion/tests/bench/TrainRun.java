// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.NoiseSource;
import org.relaydiffusion.diffusion.train.Batching.Activations;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.nativeconfig.NativeMemory;
import org.relaydiffusion.torch.ActivationCheckpoints;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.optim.Adam;
import org.relaydiffusion.torch.optim.AdamOptions;
import org.relaydiffusion.torch.optim.ExponentialMovingAverage;
import org.relaydiffusion.torch.optim.Gradients;

/** Training steps in this process, phase by phase, on images of noise. */
final class TrainRun implements AutoCloseable {
  /** The loop's divisor for images of 64 pixels. */
  private static final double LOSS_SCALE = 1.0 / 32;

  private static final double LEARNING_RATE = 1e-4;
  private static final double AVERAGE = 0.999;

  private final Activations activations;
  private final Preconditioner network;
  private final Preconditioner average;
  private final Adam adam;
  private final Tensor images;
  private final Tensor labels;

  private final TensorScope scope = TensorScope.open();

  /** A network of random weights, to be closed by the thread that made it. */
  TrainRun(ModelConfig config, LoadOptions options, int batch, Activations activations) {
    this.activations = activations;
    try (Generator generator = Generator.seeded(1)) {
      network = Preconditioner.trainable(config, generator, options);
    }
    average = network.copyForEvaluation();
    adam =
        options.numerics() == Numerics.EXACT
            ? Adam.reference(network.parameters(), AdamOptions.DEFAULT)
            : new Adam(network.parameters(), AdamOptions.DEFAULT);
    int r = network.resolution();
    Generator global = Generator.global();
    images = global.rand(DType.FLOAT32, batch, network.channels(), r, r).mul(2).add(-1);
    labels = Torch.zeros(DType.FLOAT32, batch, network.labelDim());
  }

  /**
   * Medians over the steps.
   *
   * @param seconds of a complete step
   * @param forward the loss, in seconds
   * @param backward in seconds
   * @param cleanUp gradient sanitization, in seconds
   * @param optimizer in seconds
   * @param average the EMA, in seconds
   * @param convolutionRate of the largest convolution, in operations per second
   * @param peak the peak resident set size of the process, in bytes
   */
  record Result(
      double seconds,
      double forward,
      double backward,
      double cleanUp,
      double optimizer,
      double average,
      double convolutionRate,
      double peak) {
    void print() {
      System.out.printf(
          Locale.ROOT,
          "%f %f %f %f %f %f %f %f%n",
          seconds,
          forward,
          backward,
          cleanUp,
          optimizer,
          average,
          convolutionRate,
          peak);
    }

    static Result parse(String line) {
      double[] n = Arrays.stream(line.split(" ", -1)).mapToDouble(Double::parseDouble).toArray();
      return new Result(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]);
    }
  }

  /** Measures {@code steps} steps after a warm-up step. */
  static Result measure(
      ModelConfig config, LoadOptions options, int batch, int steps, Activations activations) {
    // Before and after, so that its operands are no part of the peak.
    double rate = convolutionRate(config, options, batch);
    List<Result> results = new ArrayList<>();
    try (TrainRun run = new TrainRun(config, options, batch, activations)) {
      run.step();
      // The optimizer's state has found its place by now.
      NativeMemory.trim();
      for (int i = 0; i < steps; i++) {
        results.add(run.step());
      }
    }
    double peak = ProcessMemory.peak();
    return median(results, (rate + convolutionRate(config, options, batch)) / 2, peak);
  }

  private static double convolutionRate(ModelConfig config, LoadOptions options, int batch) {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(1)) {
      return new LargestConvolution(config.network(), batch, generator)
          .rate(options.numerics(), options.dtype());
    }
  }

  /** One step on the same images as the others. */
  Result step() {
    try (TensorScope _ = TensorScope.open();
        ActivationCheckpoints _ =
            activations == Activations.RECOMPUTED ? ActivationCheckpoints.open() : null) {
      long start = System.nanoTime();
      Tensor loss =
          new EdmLoss().of(network::denoise, images, labels, null, NoiseSource.global(Device.CPU));
      Tensor sum = Reduction.sum(loss, Reduction.KeepDim.NO, 0, 1, 2, 3).mul(LOSS_SCALE);
      long forward = System.nanoTime();
      sum.backward();
      long backward = System.nanoTime();
      Gradients.replaceNonFinite(network.parameters());
      long cleanUp = System.nanoTime();
      adam.step(LEARNING_RATE);
      adam.clearGradients();
      long optimizer = System.nanoTime();
      ExponentialMovingAverage.update(average.parameters(), network.parameters(), AVERAGE);
      long end = System.nanoTime();
      return new Result(
          seconds(start, end),
          seconds(start, forward),
          seconds(forward, backward),
          seconds(backward, cleanUp),
          seconds(cleanUp, optimizer),
          seconds(optimizer, end),
          0,
          0);
    }
  }

  @Override
  public void close() {
    adam.close();
    average.close();
    network.close();
    scope.close();
  }

  private static double seconds(long from, long to) {
    return (to - from) / 1e9;
  }

  private static Result median(List<Result> all, double convolutionRate, double peak) {
    return new Result(
        median(all, Result::seconds),
        median(all, Result::forward),
        median(all, Result::backward),
        median(all, Result::cleanUp),
        median(all, Result::optimizer),
        median(all, Result::average),
        convolutionRate,
        peak);
  }

  private static double median(List<Result> all, ToDoubleFunction<Result> figure) {
    return Samples.median(all.stream().mapToDouble(figure).toArray());
  }
}
