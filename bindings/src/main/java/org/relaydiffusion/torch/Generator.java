// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.ffi.GeneratorStateAbi;
import org.relaydiffusion.torch.ffi.RandomAbi;
import org.relaydiffusion.torch.philox.Launch;

/**
 * A source of random numbers: LibTorch's own, so that a seed gives the numbers that {@code
 * torch.Generator().manual_seed(seed)} gives. One thread draws from it at a time.
 */
public final class Generator implements AutoCloseable {
  private @Nullable RandomSource source;
  private final boolean pooled;

  private Generator(RandomSource source, boolean pooled) {
    this.source = source;
    this.pooled = pooled;
  }

  /** A generator of its own on the CPU; close it when no more is drawn. */
  public static Generator seeded(long seed) {
    return new Generator(SpareGenerators.take(Device.CPU, seed), true);
  }

  /**
   * A generator of its own on a device, {@code torch.Generator(device).manual_seed(seed)}; what is
   * drawn lies there. On CUDA a draw is one launch, which the CPU does not wait for. Close it when
   * no more is drawn.
   *
   * @throws OptionException when the device cannot be used
   */
  public static Generator seeded(long seed, Device device) {
    TorchException.requireNonNull(device, "device");
    beginContext(device);
    return new Generator(SpareGenerators.take(device, seed), true);
  }

  /**
   * A generator on the CPU that computes what {@code torch.Generator("cuda").manual_seed(seed)}
   * draws on a GPU. Normal float32 numbers are those of a device but for its sine and logarithm,
   * which are less exact; nothing of this was compared with a device yet. Draws no permutations.
   * Needs no closing.
   *
   * @param grid the GPU's, on which large draws depend
   */
  public static Generator philox(long seed, LaunchGrid grid) {
    TorchException.requireNonNull(grid, "grid");
    return new Generator(new ComputedPhilox(seed, grid), false);
  }

  /**
   * The process's default CPU generator: {@code torch.manual_seed} and dropout. Needs no closing.
   */
  public static Generator global() {
    return new Generator(new RandomSource.OnCpu(RandomAbi.defaultGenerator(), true), false);
  }

  /**
   * The process's default generator of a device, which operators there draw from ({@code
   * torch.cuda.manual_seed}); what is drawn lies on the device. Needs no closing.
   *
   * @throws OptionException when the device cannot be used
   */
  public static Generator global(Device device) {
    TorchException.requireNonNull(device, "device");
    if (device.type() == Device.Type.CPU) {
      return global();
    }
    beginContext(device);
    if (DeviceSimulation.current() != null) {
      RandomSource.OnCpu cpu = new RandomSource.OnCpu(RandomAbi.defaultGenerator(), true);
      return new Generator(new RandomSource.Simulated(device, cpu), false);
    }
    MemorySegment generator = GeneratorStateAbi.defaultCuda(device.index());
    if (generator == null) {
      throw new OptionException(
          "device %s cannot be used: this LibTorch has no generator for it".formatted(device));
    }
    return new Generator(new RandomSource.DefaultOf(device, generator), false);
  }

  /** Generators are made with the device's context; also refuses a device that is not there. */
  private static void beginContext(Device device) {
    if (device.type() == Device.Type.CUDA) {
      Torch.empty(DType.FLOAT32, device, 1).close();
    }
  }

  /** Where the numbers come to lie. */
  public Device device() {
    return open().device();
  }

  /** Begins anew at {@code seed}. Returns this. */
  public Generator seed(long seed) {
    open().seed(seed);
    return this;
  }

  /**
   * All of its state, to go on from later: the bytes of {@code torch.get_rng_state()}, 5056 on the
   * CPU and 16 on CUDA and of {@link #philox}.
   */
  public byte[] state() {
    return open().state();
  }

  /** The bytes of a {@link #state()} of a generator there. */
  public static int stateBytes(Device device) {
    TorchException.requireNonNull(device, "device");
    return device.type() == Device.Type.CPU ? GeneratorState.CPU_BYTES : GeneratorState.CUDA_BYTES;
  }

  /**
   * Refuses bytes that {@link #restore} would not take.
   *
   * @throws TorchException saying what is wrong with them
   */
  public static void checkState(byte[] state, Device device) {
    TorchException.requireNonNull(state, "state");
    TorchException.requireNonNull(device, "device");
    GeneratorState.check(state, device);
  }

  /**
   * Goes on from where {@link #state()} was taken. Returns this.
   *
   * @throws TorchException when these are not the bytes of such a state
   */
  public Generator restore(byte[] state) {
    TorchException.requireNonNull(state, "state");
    open().restore(state);
    return this;
  }

  /** Standard normal draws. */
  public Tensor randn(DType dtype, long... sizes) {
    return draw(RandomAbi.Draw.NORMAL, dtype, sizes);
  }

  /** Uniform draws from [0, 1). */
  public Tensor rand(DType dtype, long... sizes) {
    return draw(RandomAbi.Draw.UNIFORM, dtype, sizes);
  }

  /** Uniform integers from [0, high), as int64. */
  public Tensor randint(long high, long... sizes) {
    TorchException.requireNonNull(sizes, "sizes");
    if (high < 1) {
      throw new TorchException("randint needs an upper bound of 1 or more, not " + high);
    }
    Sizes.check(sizes);
    return open().randint(high, sizes);
  }

  /**
   * The numbers from 0 to n - 1 in a drawn order, as int64 [n]: {@code torch.randperm(n,
   * generator=g)}.
   *
   * @throws TorchException when n is negative or, on the CPU, 2^32 / 20 or more, and of a generator
   *     of its own on CUDA or one that computes CUDA's numbers
   */
  public Tensor randperm(long n) {
    Sizes.check(n);
    return open().randperm(n);
  }

  /**
   * One int64 from [0, 2^63): {@code torch.empty((), dtype=torch.int64).random_()}.
   *
   * @throws TorchException of a generator of its own on CUDA
   */
  public long randomInt64() {
    return open().randomInt64();
  }

  /**
   * Fills each row of a tensor [N, ...] on the CPU with standard normal numbers of one of N
   * generators, as its {@link #randn} would draw them in the shape of a row. Those of {@link
   * #philox} are computed on several threads.
   *
   * @param generators N different generators on the CPU
   * @param out contiguous, of a floating type; wants no gradient
   */
  public static void fillNormal(List<Generator> generators, Tensor out) {
    TorchException.requireNoNulls(generators, "generators");
    TorchException.requireNonNull(out, "out");
    out.checkWritable();
    if (!out.dtype().isFloatingPoint()
        || out.rank() == 0
        || out.size(0) != generators.size()
        || !out.isDenseOnCpu()
        || !out.isContiguous()
        || out.requiresGrad()) {
      throw new TorchException(
          ("%s generators fill a contiguous floating-point tensor with as many rows on the CPU"
                  + " without a gradient, not %s")
              .formatted(generators.size(), out.describe()));
    }
    if (out.numel() == 0) {
      return;
    }
    long[] sizes = Arrays.copyOfRange(out.shape(), 1, out.rank());
    List<Launch> launches = new ArrayList<>();
    List<MemorySegment> rows = new ArrayList<>();
    for (int k = 0; k < generators.size(); k++) {
      RandomSource source = generators.get(k).open();
      if (source instanceof ComputedPhilox philox && isComputed(out.dtype())) {
        launches.add(philox.normals(out.dtype(), Sizes.numel(sizes)));
        rows.add(row(out, k));
      } else {
        try (Tensor drawn = generators.get(k).randn(out.dtype(), sizes);
            Tensor row = Shapes.narrow(out, 0, k, 1)) {
          row.copyFrom(drawn);
        }
      }
    }
    ComputedPhilox.compute(launches, rows);
  }

  private static boolean isComputed(DType dtype) {
    return dtype == DType.FLOAT32 || dtype == DType.FLOAT64;
  }

  private static MemorySegment row(Tensor out, int k) {
    MemorySegment all = out.borrowedMemory();
    long bytes = all.byteSize() / out.size(0);
    return all.asSlice(k * bytes, bytes);
  }

  private Tensor draw(RandomAbi.Draw draw, DType dtype, long[] sizes) {
    TorchException.requireNonNull(dtype, "dtype");
    TorchException.requireNonNull(sizes, "sizes");
    if (!dtype.isFloatingPoint()) {
      throw new TorchException("random draws are floating-point, not " + dtype.torchName());
    }
    Sizes.check(sizes);
    return open().draw(draw, dtype, sizes);
  }

  private RandomSource open() {
    RandomSource s = source;
    if (s == null) {
      throw new TorchException("this generator is closed");
    }
    return s;
  }

  /** Gives the generator back; closing twice is allowed. */
  @Override
  public synchronized void close() {
    if (pooled && source instanceof RandomSource.Native made) {
      SpareGenerators.give(made);
    }
    if (pooled || source instanceof ComputedPhilox) {
      source = null;
    }
  }
}
