// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import org.relaydiffusion.torch.Tensor;

/**
 * The data of one step.
 *
 * @param images uint8 [N, C, H, W]
 * @param labels float32 [N, labelDim]: one-hot, or vectors; labelDim may be 0
 * @param indices the N indices of the items in the data set; must not be modified
 */
public record Batch(Tensor images, Tensor labels, int[] indices) implements AutoCloseable {
  /** Closes both tensors, for callers without a scope. */
  @Override
  public void close() {
    images.close();
    labels.close();
  }
}
