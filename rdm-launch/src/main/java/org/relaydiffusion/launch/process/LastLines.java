package org.relaydiffusion.launch.process;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The last lines that were written on a stream. Threads may share it. */
final class LastLines {
  private final int most;
  private final Deque<String> lines = new ArrayDeque<>();

  /** Keeps {@code most} lines. */
  LastLines(int most) {
    this.most = most;
  }

  synchronized void add(String line) {
    if (lines.size() == most) {
      lines.removeFirst();
    }
    lines.addLast(line);
  }

  /** Oldest first. */
  synchronized List<String> lines() {
    return List.copyOf(lines);
  }
}
