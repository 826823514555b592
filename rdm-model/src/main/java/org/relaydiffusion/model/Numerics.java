// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

/** How a network is computed; both give the same images to the eye. */
public enum Numerics {
  /**
   * The reference's operations in its order and types: what parity is measured on. How far CUDA may
   * round inside them is {@link org.relaydiffusion.torch.CudaPrecision}'s.
   */
  EXACT,
  /**
   * Fused attention and fewer operations: the default. On the CPU channels-last activations, and to
   * evaluate only, packed weights; on CUDA, to evaluate only, weights that are converted once. In
   * training, its dropout draws other masks from the same generator.
   */
  FAST
}
