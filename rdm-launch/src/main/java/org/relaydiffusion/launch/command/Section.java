// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

/** A group of options with a heading of its own in the help. */
public interface Section {
  /** Returns the heading, without a colon. */
  String heading();
}
