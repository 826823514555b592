// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Operator;

/**
 * How the layers of a network compute. A network is told once, when its values are set ({@link
 * Layer#prepareAll}); from then on each layer asks itself. All of them compute the same function.
 */
public sealed interface Execution {
  /** Float32 on the CPU with the reference's operations: what a layer does that was not told. */
  Execution REFERENCE = new Reference(DType.FLOAT32, Device.CPU);

  /** The type of activations and of the weights that convolutions use. */
  DType dtype();

  /** Where parameters lie and layers compute. */
  Device device();

  /** Whether autograd can differentiate it, so that a network can be trained. */
  boolean isDifferentiable();

  /**
   * The memory format in which convolutions take and give activations.
   *
   * @param resolution width and height of the images that are convolved
   */
  MemoryFormat format(int resolution);

  /**
   * The reference's operations, in its order and its types, row-major: what parity is measured on.
   *
   * @param dtype of activations; weights are converted at each use
   * @param device of everything
   */
  record Reference(DType dtype, Device device) implements Execution {
    @Override
    public boolean isDifferentiable() {
      return true;
    }

    @Override
    public MemoryFormat format(int resolution) {
      return MemoryFormat.CONTIGUOUS;
    }
  }

  /**
   * The same sums in fewer operations, all of which autograd can differentiate. Parameters keep
   * their names and values and may be written in place, so this is how a network is trained, and
   * how the average of one is evaluated.
   *
   * @param dtype of activations; weights are converted at each use
   * @param device of everything
   */
  record Direct(DType dtype, Device device) implements Execution {
    private static final int LAST_ROW_MAJOR_RESOLUTION = 8;

    @Override
    public boolean isDifferentiable() {
      return true;
    }

    /**
     * Channels-last on the CPU, except for the smallest images: the gradient of a weight in
     * channels-last order is written twice, which shows where weights outnumber activations.
     */
    @Override
    public MemoryFormat format(int resolution) {
      return device.type() == Device.Type.CPU && resolution > LAST_ROW_MAJOR_RESOLUTION
          ? MemoryFormat.CHANNELS_LAST
          : MemoryFormat.CONTIGUOUS;
    }
  }

  /**
   * Weights in the layout that oneDNN's kernels read, rearranged once; activations in channels-last
   * order. Evaluation on the CPU only: convolutions give up their plain weights.
   *
   * @param dtype float32 or bfloat16
   */
  record Packed(DType dtype) implements Execution {
    private static final Operator HAS_BFLOAT16 =
        Operator.of("mkldnn::_is_mkldnn_bf16_supported() -> bool");

    /**
     * Whether oneDNN has kernels for a type on this processor: for float32 always, for bfloat16
     * from AVX-512 on.
     */
    public static boolean isSupported(DType dtype) {
      return dtype == DType.FLOAT32 || (dtype == DType.BFLOAT16 && HAS_BFLOAT16.call().bool());
    }

    @Override
    public Device device() {
      return Device.CPU;
    }

    @Override
    public boolean isDifferentiable() {
      return false;
    }

    @Override
    public MemoryFormat format(int resolution) {
      return MemoryFormat.CHANNELS_LAST;
    }
  }

  /**
   * The same sums in as few launches as LibTorch's operators allow, row-major: how a network is
   * evaluated on a GPU. Weights of convolutions are converted once; what is linear in the noise
   * embedding is one product for all blocks of a width; scale and shift are the normalisation's
   * own; biases that meet in a sum are added before. Convolutions and the blocks' affine layers
   * give up their plain weights.
   *
   * @param dtype of activations and of the weights of convolutions
   * @param device of everything
   */
  record Prepared(DType dtype, Device device) implements Execution {
    @Override
    public boolean isDifferentiable() {
      return false;
    }

    @Override
    public MemoryFormat format(int resolution) {
      return MemoryFormat.CONTIGUOUS;
    }
  }
}
