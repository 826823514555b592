// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import org.relaydiffusion.torch.Tensor;

/** A module that makes one tensor of one: what {@link Sequential} chains. */
public abstract class UnaryModule extends Module {
  /** Made by its subclasses. */
  protected UnaryModule() {}

  /**
   * Computes the output.
   *
   * @param x stays its owner's
   * @return a new tensor or an alias of x, the current scope's
   */
  public abstract Tensor forward(Tensor x);
}
