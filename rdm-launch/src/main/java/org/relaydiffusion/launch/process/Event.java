// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import org.relaydiffusion.RdmException;

/** An event that the launcher waits for. */
sealed interface Event {
  /**
   * A stop was requested.
   *
   * @param why the reason, such as {@code SIGTERM}
   * @param exitCode the exit code of the launcher if its ranks do not exit with 0
   */
  record Stop(String why, int exitCode) implements Event {}

  /** A second stop was requested, which kills the ranks. */
  record Kill(String why) implements Event {}

  /** A rank has ended; its last output may not have been read yet. */
  record Ended(Worker worker, ExitStatus status) implements Event {}

  /** All output of an ended rank has been read. */
  record Drained(Worker worker) implements Event {}

  /**
   * The launchers of all nodes have joined.
   *
   * @param runId the name of the run on all nodes
   */
  record Joined(String runId) implements Event {}

  /** Not all launchers have joined. */
  record NotJoined(RdmException why) implements Event {}

  /** A rank of another node is the first of this attempt to have failed. */
  record FailedElsewhere(int attempt, Failure failure) implements Event {}

  /** The number of nodes without ranks in this attempt, including this one. */
  record NodesEnded(int attempt, int nodes) implements Event {}

  /**
   * The launcher of another node was lost, or has ended its run.
   *
   * @param who the node, such as {@code node 1}
   */
  record Lost(String who) implements Event {}
}
