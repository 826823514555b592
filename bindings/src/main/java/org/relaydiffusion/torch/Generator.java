// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.ffi.GeneratorStateAbi;
import org.relaydiffusion.torch.ffi.RandomAbi;

/**
 * A source of random numbers: LibTorch's own, so that a seed gives the numbers that {@code
 * torch.Generator().manual_seed(seed)} gives. One thread draws from it at a time.
 */
public final class Generator implements AutoCloseable {
  // LibTorch's factory has no counterpart that frees; seeding anew resets every bit of the state.
  private static final Deque<MemorySegment> SPARE = new ArrayDeque<>();

  private @Nullable RandomSource source;
  private final boolean pooled;

  private Generator(RandomSource source, boolean pooled) {
    this.source = source;
    this.pooled = pooled;
  }

  /** A generator of its own on the CPU; close it when no more is drawn. */
  public static Generator seeded(long seed) {
    MemorySegment spare;
    synchronized (SPARE) {
      spare = SPARE.poll();
    }
    if (spare == null) {
      spare = RandomAbi.create(Arena.global(), seed);
    }
    RandomAbi.seed(spare, seed);
    return new Generator(new RandomSource.OnCpu(spare, false), true);
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
    // Begins the device's context, which generators are made with.
    Torch.empty(DType.FLOAT32, device, 1).close();
    MemorySegment generator =
        DeviceSimulation.current() == null
            ? GeneratorStateAbi.defaultCuda(device.index())
            : RandomAbi.defaultGenerator();
    if (generator == null) {
      throw new OptionException(
          "device %s cannot be used: this LibTorch has no generator for it".formatted(device));
    }
    return new Generator(new RandomSource.DefaultOf(device, generator), false);
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
   * CPU and 16 on CUDA.
   */
  public byte[] state() {
    try (Tensor t = new Tensor(GeneratorStateAbi.get(open().generator()))) {
      return t.borrowedMemory().toArray(ValueLayout.JAVA_BYTE);
    }
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
    RandomSource s = open();
    GeneratorState.check(state, s.device());
    try (Tensor t = Torch.tensor(state, state.length)) {
      t.with(h -> GeneratorStateAbi.set(s.generator(), h));
    }
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
   * @throws TorchException when n is negative or, on the CPU, 2^32 / 20 or more
   */
  public Tensor randperm(long n) {
    Sizes.check(n);
    return open().randperm(n);
  }

  /** One int64 from [0, 2^63): {@code torch.empty((), dtype=torch.int64).random_()}. */
  public long randomInt64() {
    return open().randomInt64();
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
    RandomSource s = source;
    if (pooled && s != null) {
      synchronized (SPARE) {
        SPARE.push(s.generator());
      }
      source = null;
    }
  }
}
