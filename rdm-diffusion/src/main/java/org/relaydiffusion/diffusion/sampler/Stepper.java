// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.torch.Tensor;

/**
 * The steps of one batch, which are performed in order. It may hold earlier predictions, which
 * {@link #close()} frees. Noise is drawn in the reference's order, even if it is then multiplied by
 * 0. Used by one thread.
 */
public interface Stepper extends AutoCloseable {
  /** Returns the state at the highest noise level: float64 [N, C, H, W], in the current scope. */
  Tensor start();

  /**
   * Steps from level {@code i} to level {@code i + 1}.
   *
   * @param i from 0
   * @param x the state at level i, float64 [N, C, H, W]; not modified
   * @return the state at the next level, float64, in the current scope
   */
  Tensor step(int i, Tensor x);

  /** Frees what is held between steps; nothing by default. */
  @Override
  default void close() {}
}
