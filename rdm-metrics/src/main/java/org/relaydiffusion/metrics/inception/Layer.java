package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.nn.Module;

/** A part of Inception-v3 that turns images into images. */
abstract sealed class Layer extends Module
    permits ConvLayer, PoolLayer, PooledConv, Tower, Mixed, MixedE {
  /** How convolutions compute; see {@link org.relaydiffusion.model.Numerics}. */
  enum Path {
    /** Convolution, batch normalisation, ReLU, one after another, in row-major order. */
    EXACT,
    /** The normalisation is folded into weights and biases; channels-last order. */
    FOLDED,
    /** As above, and weights lie as the kernels of oneDNN read them. CPU only. */
    PACKED
  }

  /**
   * Readies values that are set already. To be called once.
   *
   * @param in the images to come
   * @return their results
   */
  abstract Extent prepare(Path path, Extent in);

  /** [N, in, H, W] to [N, out, H', W']; x stays its owner's. */
  abstract Tensor forward(Tensor x);
}
