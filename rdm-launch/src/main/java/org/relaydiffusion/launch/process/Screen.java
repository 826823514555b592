// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.Printable;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.progress.DisplayWidth;

/**
 * The launcher's terminal or log, shared by all ranks: complete lines and, below them on a
 * terminal, the status line of one rank. Thread-safe.
 *
 * <p>One thread writes; all others only add lines to its queue. If the launcher's output is not
 * read, only that thread blocks. The launcher's own lines are always queued. Those of ranks wait
 * for space, so that none is lost to a slow reader. Once a stop has been requested ({@link
 * #hurry}), they are dropped if the reader does not read.
 */
final class Screen {
  /** More than the longest line of a rank, see {@link LineSplitter}. */
  private static final int MOST = 2 * LineSplitter.LONGEST_LINE;

  /** The capacity of the queue in characters; a line counts for a little more than its text. */
  private static final int MOST_WAITING = 1 << 20;

  private static final int LINE_COST = 64;

  /** The timeout after which a reader that has read nothing is assumed never to read again. */
  private static final Duration STUCK = Duration.ofSeconds(1);

  private static final String CLEAR_LINE = "\r\033[K";

  private record Line(boolean isError, String text) {
    /** A line to be displayed. */
    static Line shown(boolean isError, String text) {
      return new Line(isError, Printable.of(text, MOST));
    }

    int cost() {
      return text.length() + LINE_COST;
    }
  }

  private final Console console;
  private final Deque<Line> lines = new ArrayDeque<>();
  private int waiting;
  private String status = "";
  private boolean statusChanged;
  private boolean hurried;
  private boolean finishing;
  private long dropped;
  private List<String> result = List.of();

  /** When the thread began to write, in {@link System#nanoTime()}, if it is writing. */
  private boolean writing;

  private long writingSince;

  Screen(Console console) {
    this.console = console;
    Thread.ofPlatform().daemon().name("rdm-screen").start(this::write);
  }

  /** Returns whether a status line can be displayed. */
  boolean isLive() {
    return console.live();
  }

  /** Queues a rank's line for standard output. */
  void out(String line) {
    put(Line.shown(false, line));
  }

  /** Queues a rank's line for standard error. */
  void fromRank(String line) {
    put(Line.shown(true, line));
  }

  /** Queues a line of the launcher for standard error. */
  synchronized void err(String line) {
    add(Line.shown(true, line));
  }

  /** Queues a message of the launcher. */
  void say(String line) {
    err("rdm launch: " + line);
  }

  /** Sets the result of the last attempt; replaces that of an earlier attempt. */
  synchronized void result(List<String> answer) {
    result = List.copyOf(answer);
  }

  /** Replaces the status line; an empty text removes it. */
  synchronized void status(String text) {
    String line = isLive() ? DisplayWidth.cut(Printable.line(text), console.columns() - 1) : "";
    if (!line.equals(status)) {
      status = line;
      statusChanged = true;
      notifyAll();
    }
  }

  /** From now on, drops lines instead of waiting for a reader that does not read. */
  synchronized void hurry() {
    hurried = true;
    notifyAll();
  }

  /** Waits for the reader again. */
  synchronized void calm() {
    hurried = false;
  }

  /**
   * Waits until everything is written.
   *
   * @return false if the wait timed out, because nobody reads
   */
  synchronized boolean finish() {
    // JSON for a program, which reads it as rank 0 has written it.
    result.forEach(line -> add(new Line(false, line)));
    finishing = true;
    notifyAll();
    try {
      while (writing || !lines.isEmpty() || statusChanged) {
        if (isGivenUp()) {
          return false;
        }
        wait(100);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    return true;
  }

  private synchronized void put(Line line) {
    try {
      while (waiting >= MOST_WAITING && !finishing) {
        if (isGivenUp()) {
          dropped++;
          return;
        }
        wait(100);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    add(line);
  }

  private synchronized void add(Line line) {
    lines.add(line);
    waiting += line.cost();
    notifyAll();
  }

  private boolean isGivenUp() {
    return hurried && writing && System.nanoTime() - writingSince > STUCK.toNanos();
  }

  private void write() {
    String shown = "";
    try {
      while (true) {
        @Nullable Line line;
        String wanted;
        synchronized (this) {
          writing = false;
          notifyAll();
          while (lines.isEmpty() && !statusChanged && dropped == 0) {
            if (finishing) {
              return;
            }
            wait();
          }
          writing = true;
          writingSince = System.nanoTime();
          line = next();
          wanted = status;
          statusChanged = false;
        }
        shown = write(line, shown, wanted);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns the next line, which may report dropped lines; null if there is none. */
  private @Nullable Line next() {
    Line line = lines.poll();
    if (line != null) {
      waiting -= line.cost();
    } else if (dropped > 0) {
      line =
          new Line(
              true,
              "rdm launch: dropped %s lines of ranks, because the output was not read"
                  .formatted(dropped));
      dropped = 0;
    }
    return line;
  }

  /** Writes a line above the status line; returns the status line displayed afterwards. */
  private String write(@Nullable Line line, String shown, String wanted) {
    PrintWriter err = console.err();
    if (line == null) {
      if (!wanted.equals(shown)) {
        print(err, CLEAR_LINE + wanted);
      }
      return wanted;
    }
    if (!shown.isEmpty()) {
      print(err, CLEAR_LINE);
    }
    print(line.isError() ? err : console.out(), line.text() + System.lineSeparator());
    if (!wanted.isEmpty()) {
      print(err, wanted);
    }
    return wanted;
  }

  private static void print(PrintWriter to, String text) {
    to.print(text);
    to.flush();
  }
}
