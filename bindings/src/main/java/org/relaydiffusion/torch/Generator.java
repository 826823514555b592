package org.relaydiffusion.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.RandomAbi;

/**
 * A source of random numbers: LibTorch's own, so that a seed gives the numbers that {@code
 * torch.Generator().manual_seed(seed)} gives. One thread draws from it at a time.
 */
public final class Generator implements AutoCloseable {
  // LibTorch's factory has no counterpart that frees; seeding anew resets every bit of the state.
  private static final Deque<MemorySegment> SPARE = new ArrayDeque<>();

  private MemorySegment generator;
  private final boolean pooled;

  private Generator(MemorySegment generator, boolean pooled) {
    this.generator = generator;
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
    return new Generator(spare, true);
  }

  /**
   * The process's default CPU generator: {@code torch.manual_seed} and dropout. Needs no closing.
   */
  public static Generator global() {
    return new Generator(RandomAbi.defaultGenerator(), false);
  }

  /** Begins anew at {@code seed}. Returns this. */
  public Generator seed(long seed) {
    RandomAbi.seed(open(), seed);
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
    if (high < 1) {
      throw new TorchException("randint needs an upper bound of 1 or more, not " + high);
    }
    Sizes.check(sizes);
    try {
      return new Tensor(RandomAbi.randint(open(), high, sizes, DType.INT64.code()));
    } catch (NativeCallException e) {
      throw TorchException.failed("randint(%d)".formatted(high), e);
    }
  }

  /** One int64 from [0, 2^63): {@code torch.empty((), dtype=torch.int64).random_()}. */
  public long randomInt64() {
    return RandomAbi.random64(open()) & Long.MAX_VALUE;
  }

  private Tensor draw(RandomAbi.Draw draw, DType dtype, long[] sizes) {
    if (!dtype.isFloatingPoint()) {
      throw new TorchException("random draws are floating-point, not " + dtype.torchName());
    }
    Sizes.check(sizes);
    try {
      return new Tensor(RandomAbi.draw(open(), draw, sizes, dtype.code()));
    } catch (NativeCallException e) {
      throw TorchException.failed(
          "drawing %s%s".formatted(dtype.torchName(), Arrays.toString(sizes)), e);
    }
  }

  private MemorySegment open() {
    if (generator.equals(MemorySegment.NULL)) {
      throw new TorchException("this generator is closed");
    }
    return generator;
  }

  /** Gives the generator back; closing twice is allowed. */
  @Override
  public synchronized void close() {
    if (pooled && !generator.equals(MemorySegment.NULL)) {
      synchronized (SPARE) {
        SPARE.push(generator);
      }
      generator = MemorySegment.NULL;
    }
  }
}
