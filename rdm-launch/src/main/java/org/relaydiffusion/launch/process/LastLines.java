// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The last lines written to a stream. Thread-safe. */
final class LastLines {
  private final int most;
  private final Deque<String> lines = new ArrayDeque<>();

  /** Keeps at most {@code most} lines. */
  LastLines(int most) {
    this.most = most;
  }

  synchronized void add(String line) {
    if (lines.size() == most) {
      lines.removeFirst();
    }
    lines.addLast(line);
  }

  /** Returns the lines, oldest first. */
  synchronized List<String> lines() {
    return List.copyOf(lines);
  }
}
