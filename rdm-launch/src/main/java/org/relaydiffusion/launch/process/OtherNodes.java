// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

/**
 * Sends messages to the launchers of the other nodes. No call blocks. Their messages arrive as
 * {@link Event}s.
 */
interface OtherNodes extends AutoCloseable {
  /** The implementation for a run on one node. */
  OtherNodes NONE = new OtherNodes() {};

  /** This node begins an attempt. */
  default void begin(int attempt) {}

  /** A rank of this node has failed; the first failure of an attempt applies to all nodes. */
  default void failed(int attempt, Failure failure) {}

  /** This node has no rank left in this attempt. */
  default void ended(int attempt) {}

  /** This launcher was asked to stop; the first request applies to all nodes. */
  default void stop(Event.Stop stop) {}

  /** Leaves; waits at most a few seconds until the others have received all messages. */
  @Override
  default void close() {}
}
