// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;

/** The dtype of a network's activations and convolution weights during sampling. */
public sealed interface ComputeType {
  /** The reference's rule, see {@link OfCheckpoint}. */
  ComputeType AUTO = new OfCheckpoint();

  /** The same dtype for all networks. */
  record Fixed(DType dtype) implements ComputeType {
    private static final List<DType> KNOWN = List.of(DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16);

    /**
     * Checks the dtype.
     *
     * @throws OptionException if networks do not support it
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
   * According to each checkpoint: on CUDA, float16 if its {@code use_fp16} is true, otherwise
   * float32; on the CPU always float32.
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
   * Returns the dtype of a network.
   *
   * @param initKwargs the arguments of its constructor in the checkpoint
   * @param device the device of the network
   */
  DType of(Map<String, ? extends @Nullable Object> initKwargs, Device device);

  /**
   * Parses {@code auto}, {@code float32}, {@code bfloat16} or {@code float16}.
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
