// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/** Node 0's watch over the other launchers, each of which increments a key every second. */
final class NodeWatch {
  /**
   * The maximum time added to a node's silence per check: while this process or its whole host was
   * suspended, the others could not be observed.
   */
  private static final long MOST_NANOS = Duration.ofSeconds(3).toNanos();

  private final Nodes nodes;
  private final Duration silence;
  private final long[] beats;
  private final long[] silentNanos;
  private long lastLook = System.nanoTime();

  /**
   * Creates a watch.
   *
   * @param silence a node that does not increment its key for this long is lost
   */
  NodeWatch(Nodes nodes, Duration silence) {
    this.nodes = nodes;
    this.silence = silence;
    this.beats = new long[nodes.count()];
    this.silentNanos = new long[nodes.count()];
    Arrays.fill(beats, -1);
  }

  /** Checks all nodes; returns a lost node once. */
  Optional<Integer> look(NodeStore store, long now) {
    long passed = Math.min(now - lastLook, MOST_NANOS);
    lastLook = now;
    for (int node = 1; node < nodes.count(); node++) {
      long beat = store.beats(node);
      long silent = beat == beats[node] ? silentNanos[node] + passed : 0;
      boolean isLost = silent >= silence.toNanos() && silentNanos[node] < silence.toNanos();
      beats[node] = beat;
      silentNanos[node] = silent;
      if (isLost) {
        return Optional.of(node);
      }
    }
    return Optional.empty();
  }
}
