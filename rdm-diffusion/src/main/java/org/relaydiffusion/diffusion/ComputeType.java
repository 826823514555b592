package org.relaydiffusion.diffusion;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;

/** The type that a network's activations and convolution weights have when it is sampled from. */
public sealed interface ComputeType {
  /** The reference's rule, see {@link OfCheckpoint}. */
  ComputeType AUTO = new OfCheckpoint();

  /** One type for all networks. */
  record Fixed(DType dtype) implements ComputeType {
    private static final List<DType> KNOWN = List.of(DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16);

    /**
     * Checks the type.
     *
     * @throws OptionException when networks do not compute in it
     */
    public Fixed {
      if (!KNOWN.contains(dtype)) {
        throw new OptionException(
            "expected auto, float32, bfloat16 or float16, but was '%s'"
                .formatted(dtype.torchName()));
      }
    }

    @Override
    public DType of(Map<String, ? extends @Nullable Object> initKwargs, Device device) {
      return dtype;
    }

    @Override
    public String toString() {
      return dtype.torchName();
    }
  }

  /**
   * As each checkpoint says: on CUDA, float16 where its {@code use_fp16} is true; float32
   * otherwise, and on the CPU always.
   */
  record OfCheckpoint() implements ComputeType {
    private static final String HALF = "use_fp16";

    @Override
    public DType of(Map<String, ? extends @Nullable Object> initKwargs, Device device) {
      return device.type() == Device.Type.CUDA && Boolean.TRUE.equals(initKwargs.get(HALF))
          ? DType.FLOAT16
          : DType.FLOAT32;
    }

    @Override
    public String toString() {
      return "auto";
    }
  }

  /**
   * The type of one network.
   *
   * @param initKwargs the arguments of its constructor, as its checkpoint has them
   * @param device where it runs
   */
  DType of(Map<String, ? extends @Nullable Object> initKwargs, Device device);

  /**
   * Reads {@code auto}, {@code float32}, {@code bfloat16} or {@code float16}.
   *
   * @throws OptionException for anything else
   */
  static ComputeType parse(String text) {
    if (text.equals("auto")) {
      return AUTO;
    }
    return DType.ofTorchName(text)
        .<ComputeType>map(Fixed::new)
        .orElseThrow(() ->
            new OptionException(
                "expected auto, float32, bfloat16 or float16, but was '%s'".formatted(text)));
  }
}
