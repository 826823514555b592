package org.relaydiffusion.diffusion.train;

import java.util.List;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.nn.Parameter;

/** Sees what a step computes on its way; what it is shown stays the run's. */
interface StepObserver {
  /** Sees nothing. */
  StepObserver NONE = new StepObserver() {};

  /**
   * A round has its loss.
   *
   * @param items the data set's items in the batch
   * @param loss [N, C, H, W]
   */
  default void round(int[] items, Tensor loss) {}

  /** All rounds have gone backward; the optimizer has not used the gradients yet. */
  default void gradients(List<Parameter> parameters) {}
}
