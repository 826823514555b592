// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.relaydiffusion.torch.ffi.CudaRandomAbi;
import org.relaydiffusion.torch.ffi.GeneratorStateAbi;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.RandomAbi;

/** How a generator's numbers are drawn. */
sealed interface RandomSource permits RandomSource.Native, ComputedPhilox {
  /** Where the numbers come to lie. */
  Device device();

  void seed(long seed);

  byte[] state();

  /** Goes on from a state, which is checked. */
  void restore(byte[] state);

  Tensor draw(RandomAbi.Draw draw, DType dtype, long[] sizes);

  Tensor randint(long high, long[] sizes);

  long randomInt64();

  /** The numbers from 0 to n - 1 in a drawn order, as int64. */
  Tensor randperm(long n);

  /** Draws from an {@code at::Generator}, by where it draws. */
  sealed interface Native extends RandomSource permits OnCpu, OnCuda, DefaultOf, Simulated {
    /** The 8 bytes of the {@code at::Generator}. */
    MemorySegment generator();

    /** A generator of CUDA keeps its state while a graph is captured. */
    default void refuseDuringCapture() {
      if (device().type() == Device.Type.CUDA) {
        CudaGraph.refuseDuringCapture("seeding, reading or restoring a generator of " + device());
      }
    }

    @Override
    default byte[] state() {
      refuseDuringCapture();
      try (Tensor t = new Tensor(GeneratorStateAbi.get(generator()))) {
        return t.borrowedMemory().toArray(ValueLayout.JAVA_BYTE);
      }
    }

    @Override
    default void restore(byte[] state) {
      GeneratorState.check(state, device());
      refuseDuringCapture();
      try (Tensor t = Torch.tensor(state, state.length)) {
        t.with(h -> GeneratorStateAbi.set(generator(), h));
      }
    }
  }

  /**
   * Any CPU generator.
   *
   * @param isDefault whether it is the process's, which operators on other threads draw from, too:
   *     it is only stepped by calls that hold its mutex
   */
  record OnCpu(MemorySegment generator, boolean isDefault) implements Native {
    /** From here on LibTorch draws in another way. */
    private static final long LARGEST_PERMUTATION = 0xffff_ffffL / 20;

    @Override
    public Device device() {
      return Device.CPU;
    }

    @Override
    public void seed(long seed) {
      RandomAbi.seed(generator, seed);
    }

    @Override
    public Tensor draw(RandomAbi.Draw draw, DType dtype, long[] sizes) {
      try {
        return new Tensor(RandomAbi.draw(generator, draw, sizes, dtype.code()));
      } catch (NativeCallException e) {
        throw TorchException.failed(
            "drawing %s%s".formatted(dtype.torchName(), Arrays.toString(sizes)), e);
      }
    }

    @Override
    public Tensor randint(long high, long[] sizes) {
      try {
        return new Tensor(RandomAbi.randint(generator, high, sizes, DType.INT64.code()));
      } catch (NativeCallException e) {
        throw TorchException.failed("randint(%s)".formatted(high), e);
      }
    }

    @Override
    public long randomInt64() {
      if (isDefault) {
        try (Tensor t = Torch.empty(DType.INT64, Device.CPU)) {
          return DefaultOf.RANDOM.apply(t).toLongs()[0];
        }
      }
      return RandomAbi.random64(generator) & Long.MAX_VALUE;
    }

    // The operator takes a generator, which the C ABI of 2.10 cannot pass; this is its algorithm.
    @Override
    public Tensor randperm(long n) {
      if (n >= LARGEST_PERMUTATION) {
        throw new TorchException(
            "randperm of %s numbers: here it has fewer than %s".formatted(n, LARGEST_PERMUTATION));
      }
      if (isDefault) {
        return DefaultOf.RANDPERM.call().arg(n).tensor();
      }
      Tensor result = Torch.empty(DType.INT64, Device.CPU, n);
      MemorySegment numbers = result.borrowedMemory();
      for (long i = 0; i < n; i++) {
        numbers.setAtIndex(ValueLayout.JAVA_LONG, i, i);
      }
      for (long i = 0; i < n - 1; i++) {
        long j = i + Integer.toUnsignedLong(RandomAbi.random32(generator)) % (n - i);
        long other = numbers.getAtIndex(ValueLayout.JAVA_LONG, j);
        numbers.setAtIndex(ValueLayout.JAVA_LONG, j, numbers.getAtIndex(ValueLayout.JAVA_LONG, i));
        numbers.setAtIndex(ValueLayout.JAVA_LONG, i, other);
      }
      return result;
    }
  }

  /** A CUDA device's generator of its own: a draw is one launch, which nothing waits for. */
  record OnCuda(Device device, MemorySegment generator) implements Native {
    @Override
    public void seed(long seed) {
      refuseDuringCapture();
      CudaRandomAbi.seed(generator, seed);
    }

    @Override
    public Tensor draw(RandomAbi.Draw draw, DType dtype, long[] sizes) {
      try {
        return new Tensor(CudaRandomAbi.draw(generator, device.index(), draw, sizes, dtype.code()));
      } catch (NativeCallException e) {
        throw TorchException.failed(
            "drawing %s%s on %s".formatted(dtype.torchName(), Arrays.toString(sizes), device), e);
      }
    }

    @Override
    public Tensor randint(long high, long[] sizes) {
      try {
        return new Tensor(
            CudaRandomAbi.randint(generator, device.index(), high, sizes, DType.INT64.code()));
      } catch (NativeCallException e) {
        throw TorchException.failed("randint(%s) on %s".formatted(high, device), e);
      }
    }

    @Override
    public long randomInt64() {
      throw new TorchException(
          "a generator of its own on %s draws no random int64: its default one does"
              .formatted(device));
    }

    @Override
    public Tensor randperm(long n) {
      throw new TorchException(
          "a generator of its own on %s draws no permutation: its default one does"
              .formatted(device));
    }
  }

  /**
   * A generator of a device that a {@link DeviceSimulation} has: the CPU's, whose numbers lie
   * there.
   */
  record Simulated(Device device, OnCpu cpu) implements Native {
    @Override
    public MemorySegment generator() {
      return cpu.generator();
    }

    @Override
    public void seed(long seed) {
      cpu.seed(seed);
    }

    @Override
    public void restore(byte[] state) {
      cpu.restore(state);
    }

    @Override
    public Tensor draw(RandomAbi.Draw draw, DType dtype, long[] sizes) {
      return there(cpu.draw(draw, dtype, sizes));
    }

    @Override
    public Tensor randint(long high, long[] sizes) {
      return there(cpu.randint(high, sizes));
    }

    @Override
    public long randomInt64() {
      return cpu.randomInt64();
    }

    @Override
    public Tensor randperm(long n) {
      return there(cpu.randperm(n));
    }

    private Tensor there(Tensor drawn) {
      DeviceSimulation simulation = DeviceSimulation.current();
      if (simulation != null) {
        simulation.made(drawn, device);
      }
      return drawn;
    }
  }

  /**
   * A device's default generator: an operator that is given no generator draws from it. {@code
   * torch.randn} is {@code empty} and {@code normal_}, and the others alike.
   */
  record DefaultOf(Device device, MemorySegment generator) implements Native {
    private static final Operator RANDPERM =
        Operator.of(
            "aten::randperm(SymInt n, *, ScalarType? dtype=long, Layout? layout=None, "
                + "Device? device=None, bool? pin_memory=None) -> Tensor");
    private static final Operator NORMAL =
        Operator.of(
            "aten::normal_(Tensor(a!) self, float mean=0., float std=1., *, "
                + "Generator? generator=None) -> Tensor(a!)");
    private static final Operator UNIFORM =
        Operator.of(
            "aten::uniform_(Tensor(a!) self, float from=0., float to=1., *, "
                + "Generator? generator=None) -> Tensor(a!)");
    private static final Operator RANDOM_TO =
        Operator.of(
            "aten::random_.to(Tensor(a!) self, int to, *, Generator? generator=None) ->"
                + " Tensor(a!)");
    private static final Operator RANDOM =
        Operator.of("aten::random_(Tensor(a!) self, *, Generator? generator=None) -> Tensor(a!)");

    @Override
    public void seed(long seed) {
      refuseDuringCapture();
      byte[] state = GeneratorState.philox(seed);
      try (Tensor t = Torch.tensor(state, state.length)) {
        t.with(h -> GeneratorStateAbi.set(generator, h));
      }
    }

    @Override
    public Tensor draw(RandomAbi.Draw draw, DType dtype, long[] sizes) {
      Tensor t = Torch.empty(dtype, device, sizes);
      return switch (draw) {
        case NORMAL -> NORMAL.call().arg(t).arg(0).arg(1).tensor();
        case UNIFORM -> UNIFORM.call().arg(t).arg(0).arg(1).tensor();
      };
    }

    @Override
    public Tensor randint(long high, long[] sizes) {
      Tensor t = Torch.empty(DType.INT64, device, sizes);
      return RANDOM_TO.call().arg(t).arg(high).tensor();
    }

    @Override
    public Tensor randperm(long n) {
      return RANDPERM.call().arg(n).at("device").arg(device).tensor();
    }

    @Override
    public long randomInt64() {
      try (Tensor t = Torch.empty(DType.INT64, device)) {
        return RANDOM.apply(t).toLongs()[0];
      }
    }
  }
}
