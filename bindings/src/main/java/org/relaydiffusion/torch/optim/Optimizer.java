// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

/**
 * Changes parameters by their gradients. A step takes its learning rate, so that schedules live
 * with the training loop:
 *
 * <pre>{@code
 * optimizer.clearGradients();
 * loss.backward();
 * optimizer.step(1e-3);
 * }</pre>
 *
 * <p>A parameter without a gradient is skipped. The optimizer owns its state and frees it when
 * closed; parameters stay their modules'. One thread uses it at a time.
 */
public interface Optimizer extends AutoCloseable {
  /**
   * Changes every parameter that has a gradient.
   *
   * @param learningRate finite; 0 changes no parameter, but counts as a step
   */
  void step(double learningRate);

  /** Forgets every parameter's gradient ({@code zero_grad(set_to_none=True)}). */
  void clearGradients();

  /** Frees the state; the next step starts afresh. Closing twice is allowed. */
  @Override
  void close();
}
