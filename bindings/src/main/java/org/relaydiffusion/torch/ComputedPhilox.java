// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.ffi.RandomAbi;
import org.relaydiffusion.torch.philox.Kernel;
import org.relaydiffusion.torch.philox.Kernels;
import org.relaydiffusion.torch.philox.Launch;
import org.relaydiffusion.torch.philox.Launches;

/** A CUDA device's generator, computed on the CPU, on as many threads as an operator has. */
final class ComputedPhilox implements RandomSource {
  /** Beyond it LibTorch divides a draw into several launches. */
  private static final long MOST_BYTES = Integer.MAX_VALUE;

  private static final String WHICH = "that computes CUDA's numbers";

  private final LaunchGrid grid;
  private long seed;
  private long offset;

  ComputedPhilox(long seed, LaunchGrid grid) {
    this.grid = grid;
    this.seed = seed;
  }

  @Override
  public Device device() {
    return Device.CPU;
  }

  @Override
  public void seed(long seed) {
    this.seed = seed;
    offset = 0;
  }

  @Override
  public byte[] state() {
    return GeneratorState.philox(seed, offset);
  }

  @Override
  public void restore(byte[] state) {
    GeneratorState.checkPhilox(state, WHICH);
    seed = GeneratorState.philoxSeed(state);
    offset = GeneratorState.philoxOffset(state);
  }

  /** Half precision is float32, rounded. */
  @Override
  public Tensor draw(RandomAbi.Draw draw, DType dtype, long[] sizes) {
    boolean wide = dtype == DType.FLOAT64;
    Kernel kernel =
        switch (draw) {
          case NORMAL -> normal(dtype);
          case UNIFORM -> wide ? Kernels.UNIFORM_64 : Kernels.UNIFORM_32;
        };
    try (TensorScope scope = TensorScope.open()) {
      Tensor drawn = filled(kernel, wide ? DType.FLOAT64 : DType.FLOAT32, sizes).to(dtype);
      return scope.keep(draw == RandomAbi.Draw.UNIFORM ? belowOne(drawn) : drawn);
    }
  }

  /** cuRAND's numbers reach 1 but not 0; LibTorch has it the other way. */
  private static Tensor belowOne(Tensor drawn) {
    return Shapes.maskedFill(drawn, Comparison.eq(drawn, Torch.scalar(1)), 0);
  }

  @Override
  public Tensor randint(long high, long[] sizes) {
    return filled(Kernels.integers(high), DType.INT64, sizes);
  }

  @Override
  public long randomInt64() {
    try (Tensor t = filled(Kernels.integers(), DType.INT64)) {
      return t.toLongs()[0];
    }
  }

  @Override
  public Tensor randperm(long n) {
    throw new TorchException("a generator %s draws no permutation".formatted(WHICH));
  }

  private Tensor filled(Kernel kernel, DType dtype, long... sizes) {
    Tensor t = Torch.empty(dtype, Device.CPU, sizes);
    try {
      if (t.numel() > 0) {
        compute(List.of(launch(kernel, t.numel())), List.of(t.borrowedMemory()));
      }
      return t;
    } catch (RuntimeException e) {
      t.close();
      throw e;
    }
  }

  /** The launch that draws {@code elements} standard normal numbers; advances the generator. */
  Launch normals(DType dtype, long elements) {
    return launch(normal(dtype), elements);
  }

  private static Kernel normal(DType dtype) {
    return dtype == DType.FLOAT64 ? Kernels.NORMAL_64 : Kernels.NORMAL_32;
  }

  private Launch launch(Kernel kernel, long elements) {
    if (elements > MOST_BYTES / kernel.elementBytes()) {
      throw new TorchException(
          "a generator %s draws at most %s elements at once, not %s"
              .formatted(WHICH, MOST_BYTES / kernel.elementBytes(), elements));
    }
    Launch launch = new Launch(seed, offset, grid.blocks(), kernel, elements);
    offset = launch.nextOffset();
    return launch;
  }

  /** Computes launches into their memory. */
  static void compute(List<Launch> launches, List<MemorySegment> memory) {
    new Launches(launches, memory).compute(NativeThreads.threads());
  }
}
