package org.relaydiffusion.launch.process;

/**
 * How a run's processes are spread.
 *
 * @param count of machines, at least 1; each has a launcher of its own
 * @param index of this one, from 0
 * @param processes on each machine, at least 1
 */
public record Machines(int count, int index, int processes) {
  /** Processes on this machine alone. */
  public static Machines alone(int processes) {
    return new Machines(1, 0, processes);
  }

  /** Whether this is the only machine. */
  public boolean isAlone() {
    return count == 1;
  }

  /** How many processes the run has. */
  int worldSize() {
    return count * processes;
  }

  /** The rank in the whole run of a process of this machine. */
  int rank(int localRank) {
    return index * processes + localRank;
  }
}
