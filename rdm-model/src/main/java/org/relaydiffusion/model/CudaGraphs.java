// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

/**
 * Whether passes of a network on CUDA are captured and replayed ({@link
 * org.relaydiffusion.torch.CudaGraph}): a pass is then one launch, which spares the host the calls
 * of its operators. Only networks that are loaded for {@link Numerics#FAST} evaluation do so.
 */
public enum CudaGraphs {
  /** Where it can be done, from the second pass of a shape on: the default. */
  AUTO,
  /** As {@code AUTO}, but a pass that cannot be captured is an error. */
  ON,
  /** Never. */
  OFF
}
