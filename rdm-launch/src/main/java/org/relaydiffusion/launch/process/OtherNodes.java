package org.relaydiffusion.launch.process;

/**
 * What a launcher tells those of the other nodes. No call waits for them. What they say in turn
 * comes as {@link Event}s.
 */
interface OtherNodes extends AutoCloseable {
  /** For a run on one node. */
  OtherNodes NONE = new OtherNodes() {};

  /** This node begins an attempt. */
  default void begin(int attempt) {}

  /** A rank of this node has failed; the first failure of an attempt counts for all nodes. */
  default void failed(int attempt, Failure failure) {}

  /** This node has no rank left in this attempt. */
  default void ended(int attempt) {}

  /** Somebody has asked this launcher to stop; the first to be asked counts for all nodes. */
  default void stop(Event.Stop stop) {}

  /** Leaves; waits no longer than a few seconds until the others have heard what was said. */
  @Override
  default void close() {}
}
