// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

/** A stage of the relay. */
public enum Stage {
  /** The ordinary diffusion at low resolution. */
  FIRST,
  /** The blurring diffusion at high resolution. */
  SECOND
}
