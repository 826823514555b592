package org.relaydiffusion.torch;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.relaydiffusion.torch.ffi.GeneratorStateAbi;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.RandomAbi;

/** How numbers are drawn from an {@code at::Generator}, by where it draws. */
sealed interface RandomSource {
  /** Where the numbers come to lie. */
  Device device();

  /** The 8 bytes of the {@code at::Generator}. */
  MemorySegment generator();

  void seed(long seed);

  Tensor draw(RandomAbi.Draw draw, DType dtype, long[] sizes);

  Tensor randint(long high, long[] sizes);

  long randomInt64();

  /** Any CPU generator. */
  record OnCpu(MemorySegment generator) implements RandomSource {
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
      return RandomAbi.random64(generator) & Long.MAX_VALUE;
    }
  }

  /**
   * A device's default generator: an operator that is given no generator draws from it. {@code
   * torch.randn} is {@code empty} and {@code normal_}, and the others alike.
   */
  record DefaultOf(Device device, MemorySegment generator) implements RandomSource {
    private static final Op NORMAL = Op.of("aten::normal_");
    private static final Op UNIFORM = Op.of("aten::uniform_");
    private static final Op RANDOM_TO = Op.of("aten::random_.to");
    private static final Op RANDOM = Op.of("aten::random_");

    @Override
    public void seed(long seed) {
      byte[] state = GeneratorState.philox(seed);
      try (Tensor t = Torch.tensor(state, state.length)) {
        t.with(h -> GeneratorStateAbi.set(generator, h));
      }
    }

    @Override
    public Tensor draw(RandomAbi.Draw draw, DType dtype, long[] sizes) {
      Tensor t = Torch.empty(dtype, device, sizes);
      return switch (draw) {
        case NORMAL -> NORMAL.args().t(t).d(0).d(1).none().into(t);
        case UNIFORM -> UNIFORM.args().t(t).d(0).d(1).none().into(t);
      };
    }

    @Override
    public Tensor randint(long high, long[] sizes) {
      Tensor t = Torch.empty(DType.INT64, device, sizes);
      return RANDOM_TO.args().t(t).i(high).none().into(t);
    }

    @Override
    public long randomInt64() {
      try (Tensor t = Torch.empty(DType.INT64, device)) {
        return RANDOM.args().t(t).none().into(t).toLongs()[0];
      }
    }
  }
}
