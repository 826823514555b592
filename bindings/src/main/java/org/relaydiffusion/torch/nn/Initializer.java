// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;

/** Makes a parameter's first value. */
@FunctionalInterface
public interface Initializer {
  /**
   * The first value.
   *
   * @param generator where random numbers come from, in the order in which parameters are made
   * @param shape the parameter's shape
   * @return a new float32 tensor, the caller's
   */
  Tensor make(Generator generator, long[] shape);
}
