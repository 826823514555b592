// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

/** Python's {@code None}. */
public enum PyNone {
  /** The only value. */
  NONE
}
