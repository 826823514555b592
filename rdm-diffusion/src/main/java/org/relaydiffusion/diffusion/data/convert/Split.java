// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

/** A part of a published data set. */
public enum Split {
  /** The training images. */
  TRAIN,
  /** The test images. */
  TEST
}
