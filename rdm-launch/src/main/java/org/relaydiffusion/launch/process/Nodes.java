package org.relaydiffusion.launch.process;

/**
 * How a run's processes are spread.
 *
 * @param count of nodes, at least 1; each has a launcher of its own
 * @param index of this one, from 0
 * @param processes on each node, at least 1
 */
public record Nodes(int count, int index, int processes) {
  /** Processes on this node alone. */
  public static Nodes alone(int processes) {
    return new Nodes(1, 0, processes);
  }

  /** Whether this is the only node. */
  public boolean isAlone() {
    return count == 1;
  }

  /** Whether this node's launcher serves the store in which nodes and ranks meet. */
  boolean isFirst() {
    return index == 0;
  }

  /** How many processes the run has. */
  int worldSize() {
    return count * processes;
  }

  /** The rank in the whole run of a process of this node. */
  int rank(int localRank) {
    return index * processes + localRank;
  }
}
