// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.torch.Tensor;

/**
 * Inception-v3 features of N images.
 *
 * @param pool float32 [N, 2048]: the average over the 8 x 8 positions of the last layer
 * @param spatial float32 [N, 2023]: the first 7 channels of {@code mixed_6.conv} at 17 x 17
 *     positions, channel by channel
 */
public record InceptionFeatures(Tensor pool, Tensor spatial) implements AutoCloseable {
  /** The number of elements per image of {@link #pool()}. */
  public static final int POOL_DIM = 2048;

  /** The number of elements per image of {@link #spatial()}: 7 x 17 x 17. */
  public static final int SPATIAL_DIM = 7 * 17 * 17;

  /** Closes both tensors, for callers without a scope. */
  @Override
  public void close() {
    pool.close();
    spatial.close();
  }
}
