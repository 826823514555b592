// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.nn.Module;

/** A part of Inception-v3 that maps images to images. */
abstract sealed class Layer extends Module
    permits ConvLayer, PoolLayer, PooledConv, Tower, Mixed, MixedE {
  /** How convolutions are computed; see {@link org.relaydiffusion.model.Numerics}. */
  enum Path {
    /** Convolution, batch normalization and ReLU one by one, row-major. */
    EXACT,
    /** The normalization is folded into weights and biases; channels-last. */
    FOLDED,
    /** As above, with weights in the layout of oneDNN's kernels. CPU only. */
    PACKED
  }

  /**
   * Prepares weights that have been set. Must be called once.
   *
   * @param in the size of the input
   * @return the size of the output
   */
  abstract Extent prepare(Path path, Extent in);

  /** Maps [N, in, H, W] to [N, out, H', W']; x is not modified. */
  abstract Tensor forward(Tensor x);
}
