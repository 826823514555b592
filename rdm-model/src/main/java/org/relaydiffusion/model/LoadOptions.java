// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.model.layer.Execution;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;

/**
 * How a network is loaded.
 *
 * @param numerics the reference's operations, or faster ones
 * @param dtype the type of activations and convolution weights; norms, embeddings and everything
 *     outside the U-Net stay float32, and so do the parameters of a network in training
 * @param device where it runs
 * @param cudaGraphs whether passes on CUDA are captured and replayed
 */
public record LoadOptions(Numerics numerics, DType dtype, Device device, CudaGraphs cudaGraphs) {
  /** {@link Numerics#FAST}, float32, on the CPU. */
  public static final LoadOptions DEFAULT =
      new LoadOptions(Numerics.FAST, DType.FLOAT32, Device.CPU);

  /** The reference's own operations in float32 on the CPU. */
  public static final LoadOptions EXACT =
      new LoadOptions(Numerics.EXACT, DType.FLOAT32, Device.CPU);

  /**
   * Checks that the combination exists.
   *
   * @throws OptionException when networks do not run in {@code dtype}, or not on {@code device}, or
   *     graphs are wanted that there are none of
   */
  public LoadOptions {
    if (dtype != DType.FLOAT32 && dtype != DType.BFLOAT16 && dtype != DType.FLOAT16) {
      throw new OptionException(
          "networks run in float32, bfloat16 or float16, not " + dtype.torchName());
    }
    if (dtype == DType.FLOAT16 && device.type() == Device.Type.CPU) {
      throw new OptionException("float16 needs a CUDA device; on the CPU use bfloat16 or float32");
    }
    if (cudaGraphs == CudaGraphs.ON
        && (device.type() != Device.Type.CUDA || numerics != Numerics.FAST)) {
      throw new OptionException("CUDA graphs need fast numerics on a CUDA device");
    }
  }

  /** With graphs where they can be captured. */
  public LoadOptions(Numerics numerics, DType dtype, Device device) {
    this(numerics, dtype, device, CudaGraphs.AUTO);
  }

  /** How a network computes that is only evaluated: its values are never written. */
  public Execution evaluation() {
    return switch (numerics) {
      case EXACT -> new Execution.Reference(dtype, device);
      case FAST -> {
        if (device.type() != Device.Type.CPU) {
          yield new Execution.Prepared(dtype, device);
        }
        yield Execution.Packed.isSupported(dtype)
            ? new Execution.Packed(dtype)
            : new Execution.Direct(dtype, device);
      }
    };
  }

  /** How a network computes whose values an optimizer or an average writes. */
  public Execution training() {
    return switch (numerics) {
      case EXACT -> new Execution.Reference(dtype, device);
      case FAST -> new Execution.Direct(dtype, device);
    };
  }
}
