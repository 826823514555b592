// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.List;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.nn.Parameter;

/** Observes the intermediate results of a step; arguments remain owned by the run. */
interface StepObserver {
  /** Ignores everything. */
  StepObserver NONE = new StepObserver() {};

  /**
   * Called after the loss of a round was computed.
   *
   * @param items indices of the batch in the data set
   * @param loss [N, C, H, W]
   */
  default void round(int[] items, Tensor loss) {}

  /** Called after the backward passes of all rounds, before the optimizer uses the gradients. */
  default void gradients(List<Parameter> parameters) {}
}
