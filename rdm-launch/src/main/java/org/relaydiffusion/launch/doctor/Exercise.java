// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.doctor;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** An operation that networks are made of, in float32, on a device and on the CPU. */
enum Exercise {
  CONVOLUTION("3x3 convolution"),
  PRODUCT("matrix product"),
  ATTENTION("attention"),
  DRAW("random draw");

  /**
   * Sums of a thousand products in another order differ by some 1e-6 of the largest element,
   * kernels that compute with sums of operands (Winograd's) by more.
   */
  private static final double ROUNDING = 1e-3;

  private static final int DRAWN = 1 << 20;

  /** Five standard errors of the mean of that many draws. */
  private static final double FIVE_SIGMA = 5e-3;

  private static final int REPETITIONS = 9;
  private static final double NANOS_PER_MILLISECOND = 1e6;

  private final String words;

  Exercise(String words) {
    this.words = words;
  }

  /** Returns the operation in words. */
  String words() {
    return words;
  }

  /** Computes on both, and compares. */
  DeviceCheck.Result run(Device device) {
    try (TensorScope _ = TensorScope.open()) {
      return switch (this) {
        case CONVOLUTION ->
            compute(
                device,
                x -> Functional.conv2d(x.get(0), x.get(1), null, 1, 1, 1),
                new long[] {4, 128, 64, 64},
                new long[] {128, 128, 3, 3});
        case PRODUCT ->
            compute(
                device,
                x -> LinearAlgebra.matmul(x.get(0), x.get(1)),
                new long[] {1024, 1024},
                new long[] {1024, 1024});
        case ATTENTION ->
            compute(
                device,
                x -> Functional.attention(x.get(0), x.get(1), x.get(2)),
                new long[] {4, 4, 1024, 64},
                new long[] {4, 4, 1024, 64},
                new long[] {4, 4, 1024, 64});
        case DRAW -> draw(device);
      };
    }
  }

  private DeviceCheck.Result compute(
      Device device, Function<List<Tensor>, Tensor> operation, long[]... shapes) {
    List<Tensor> onCpu;
    try (Generator generator = Generator.seeded(1)) {
      onCpu = Arrays.stream(shapes).map(shape -> generator.randn(DType.FLOAT32, shape)).toList();
    }
    Tensor expected = operation.apply(onCpu);
    List<Tensor> there = onCpu.stream().map(x -> x.to(device)).toList();
    // The first call also loads and chooses kernels.
    Tensor computed = operation.apply(there).to(Device.CPU);
    double largest = largest(expected);
    double difference = largest(Pointwise.sub(computed, expected)) / largest;
    return new DeviceCheck.Result(
        words, milliseconds(() -> operation.apply(there)), difference, ROUNDING);
  }

  private DeviceCheck.Result draw(Device device) {
    Generator generator = Generator.global(device);
    Tensor first = generator.seed(1).randn(DType.FLOAT32, DRAWN).to(Device.CPU);
    Tensor second = generator.seed(1).randn(DType.FLOAT32, DRAWN).to(Device.CPU);
    boolean same = Arrays.equals(first.toFloats(), second.toFloats());
    double mean = Reduction.mean(first).item();
    double deviation = Reduction.std(first, Reduction.KeepDim.NO, 0).item();
    double difference = Math.max(Math.abs(mean), Math.abs(deviation - 1));
    return new DeviceCheck.Result(
        words,
        milliseconds(() -> generator.randn(DType.FLOAT32, DRAWN)),
        same ? difference : Double.POSITIVE_INFINITY,
        FIVE_SIGMA);
  }

  /** NaN if any element is. */
  private static double largest(Tensor x) {
    return Reduction.amax(Pointwise.abs(x.reshape(-1)), Reduction.KeepDim.NO, 0).item();
  }

  private interface Call {
    Tensor make();
  }

  private static double milliseconds(Call call) {
    double[] times = new double[REPETITIONS];
    for (int i = 0; i < REPETITIONS; i++) {
      try (TensorScope _ = TensorScope.open()) {
        long began = System.nanoTime();
        // Reading an element waits for the end of the computation.
        double _ = call.make().reshape(-1).narrow(0, 0, 1).item();
        times[i] = (System.nanoTime() - began) / NANOS_PER_MILLISECOND;
      }
    }
    Arrays.sort(times);
    return times[REPETITIONS / 2];
  }
}
