package org.relaydiffusion.launch.process;

import org.relaydiffusion.launch.command.ExitCode;

/**
 * Why an attempt failed.
 *
 * @param what one line that names the rank or the node
 * @param exitCode what the launcher of that node answers
 * @param isFinal whether another attempt would make no sense
 */
record Failure(String what, int exitCode, boolean isFinal) {
  /** A node's launcher is gone, and with it the run. */
  static Failure lost(String who) {
    return new Failure(who + " is gone", ExitCode.PEER_LOST, true);
  }

  /** The same, after which no other attempt is made. */
  Failure asFinal() {
    return new Failure(what, exitCode, true);
  }
}
