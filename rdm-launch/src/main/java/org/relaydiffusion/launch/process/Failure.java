// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import org.relaydiffusion.launch.command.ExitCode;

/**
 * The reason why an attempt failed.
 *
 * @param what one line that names the rank or the node
 * @param exitCode the exit code of the launcher of that node
 * @param isFinal whether a restart would be pointless
 */
record Failure(String what, int exitCode, boolean isFinal) {
  /** The launcher of a node was lost, which ends the run. */
  static Failure lost(String who) {
    return new Failure(who + " was lost", ExitCode.PEER_LOST, true);
  }

  /** Returns the same failure without a restart. */
  Failure asFinal() {
    return new Failure(what, exitCode, true);
  }
}
