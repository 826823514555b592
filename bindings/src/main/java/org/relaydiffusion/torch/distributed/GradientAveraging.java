// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import org.relaydiffusion.torch.Tensor;

/** How the gradients of a network's copies become the same in all processes. */
sealed interface GradientAveraging extends AutoCloseable
    permits GroupedAveraging, ReducerAveraging {
  /** Before a forward pass whose gradients are to be averaged. */
  void beforeForward();

  /**
   * Between the forward pass and its backward pass.
   *
   * @param output what will be differentiated
   */
  void beforeBackward(Tensor output);

  /** Goes back, and averages if this is the backward pass of a forward pass that was announced. */
  void backward(Tensor loss);

  /** Leaves the network as it is. */
  @Override
  void close();
}
