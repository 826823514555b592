package org.relaydiffusion.diffusion.data;

import org.relaydiffusion.torch.Tensor;

/**
 * One step's data.
 *
 * @param images uint8 [N, C, H, W]
 * @param labels float32 [N, labelDim]: one-hot, or vectors; labelDim may be 0
 * @param indices which items of the data set they are, N of them; not to be changed
 */
public record Batch(Tensor images, Tensor labels, int[] indices) implements AutoCloseable {
  /** Closes both tensors, for callers without a scope. */
  @Override
  public void close() {
    images.close();
    labels.close();
  }
}
