// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

/** The value of an option that is on, off, or left to its default. */
public enum Switch {
  /** On. */
  ON,
  /** Off. */
  OFF
}
