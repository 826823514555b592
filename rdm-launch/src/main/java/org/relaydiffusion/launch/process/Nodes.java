// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

/**
 * The distribution of the processes of a run.
 *
 * @param count number of nodes, at least 1; each has its own launcher
 * @param index of this node, from 0
 * @param processes number of processes on each node, at least 1
 */
public record Nodes(int count, int index, int processes) {
  /** Returns a single node with {@code processes} processes. */
  public static Nodes alone(int processes) {
    return new Nodes(1, 0, processes);
  }

  /** Returns whether this is the only node. */
  public boolean isAlone() {
    return count == 1;
  }

  /** Returns whether this node's launcher serves the rendezvous store. */
  boolean isFirst() {
    return index == 0;
  }

  /** Returns the number of processes of the run. */
  int worldSize() {
    return count * processes;
  }

  /** Returns the global rank of a process of this node. */
  int rank(int localRank) {
    return index * processes + localRank;
  }
}
