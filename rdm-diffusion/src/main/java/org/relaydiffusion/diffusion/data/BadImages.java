// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.util.Locale;

/** How images that cannot be part of a data set are handled. */
public enum BadImages {
  /** Find all of them, then fail; the error has their number and the first of them. */
  FAIL,
  /** Skip them. */
  SKIP,
  /** Find and report them, and do nothing else. */
  LIST;

  /** Returns the value on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
