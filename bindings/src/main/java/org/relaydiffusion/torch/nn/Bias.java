// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

/** Whether a module adds a bias to its output. */
public enum Bias {
  /** A learned bias is added. */
  ADDED,
  /** Nothing is added. */
  NONE
}
