// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.torch.PackedConv2d.Activation;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;

/**
 * 3 x 3 average pooling followed by a 1 x 1 convolution. Both are linear and commute, so except for
 * {@link Layer.Path#EXACT} the convolution is computed first, which leaves a quarter of the
 * channels to be averaged; the ReLU stays last.
 */
final class PooledConv extends Layer {
  private final PoolLayer pool;
  private final ConvLayer conv;
  private Path path = Path.EXACT;

  /**
   * Creates the layer.
   *
   * @param in number of input channels
   * @param out number of output channels
   */
  PooledConv(int in, int out) {
    pool = child("pool", PoolLayer.average(Kernel.of(3).padded()));
    conv = child("conv", new ConvLayer(in, out, Kernel.of(1)));
  }

  @Override
  Extent prepare(Path wanted, Extent in) {
    path = wanted;
    return conv.prepare(wanted, in, wanted == Path.EXACT ? Activation.RELU : Activation.NONE);
  }

  @Override
  Tensor forward(Tensor x) {
    if (path == Path.EXACT) {
      try (Tensor pooled = pool.forward(x)) {
        return observed(conv.forward(pooled));
      }
    }
    try (Tensor sums = conv.forward(x)) {
      return observed(Pointwise.reluInPlace(pool.forward(sums)));
    }
  }
}
