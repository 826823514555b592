package org.relaydiffusion.launch.process;

import org.relaydiffusion.RdmException;

/** What the launcher waits for. */
sealed interface Event {
  /**
   * Somebody asks for the end of the run.
   *
   * @param why such as {@code SIGTERM}
   * @param exitCode what the launcher answers if its ranks do not end with 0
   */
  record Stop(String why, int exitCode) implements Event {}

  /** Somebody asks again: no more waiting. */
  record Kill(String why) implements Event {}

  /** A rank has ended; what it printed last may still be on its way. */
  record Ended(Worker worker, ExitStatus status) implements Event {}

  /** All that an ended rank has printed is there. */
  record Drained(Worker worker) implements Event {}

  /**
   * The launchers of all nodes are there.
   *
   * @param runId what the run is called on all of them
   */
  record Joined(String runId) implements Event {}

  /** The launchers did not come together. */
  record NotJoined(RdmException why) implements Event {}

  /** A rank of another node is the first of this attempt to have failed. */
  record FailedElsewhere(int attempt, Failure failure) implements Event {}

  /** So many nodes have no rank left in this attempt, this one included. */
  record NodesEnded(int attempt, int nodes) implements Event {}

  /**
   * The launcher of another node is gone, or has ended its run.
   *
   * @param who such as {@code node 1}
   */
  record Lost(String who) implements Event {}
}
