package org.relaydiffusion.launch.progress;

import java.io.PrintWriter;
import java.util.function.LongSupplier;

/**
 * A line that says how things stand: written over again and again on a terminal, and now and then
 * as a line of its own in a log. One thread at a time.
 */
public final class StatusLine {
  private static final long LIVE_PERIOD_NANOS = 100_000_000L;
  private static final long PLAIN_PERIOD_NANOS = 10_000_000_000L;
  private static final String CLEAR_REST_OF_LINE = "\033[K";

  /** What how often a status may be written depends on. */
  public enum Kind {
    /** A terminal: the line is written over, ten times a second at most. */
    LIVE,
    /** A log: a line every ten seconds at most. */
    PLAIN,
    /** Nothing is written. */
    OFF
  }

  private final PrintWriter out;
  private final Kind kind;
  private final LongSupplier nanoTime;
  private long next;
  private boolean dirty;

  /**
   * A line that is empty at first.
   *
   * @param out where it is written
   * @param kind how
   * @param nanoTime the clock, as {@link System#nanoTime}
   */
  public StatusLine(PrintWriter out, Kind kind, LongSupplier nanoTime) {
    this.out = out;
    this.kind = kind;
    this.nanoTime = nanoTime;
    this.next = nanoTime.getAsLong() + (kind == Kind.PLAIN ? PLAIN_PERIOD_NANOS : 0);
  }

  /** Whether {@link #show} would write now; saves making a text in vain. */
  public boolean isDue() {
    return kind != Kind.OFF && nanoTime.getAsLong() - next >= 0;
  }

  /** Writes a status if it is time for one. */
  public void show(String text) {
    if (!isDue()) {
      return;
    }
    boolean live = kind == Kind.LIVE;
    next = nanoTime.getAsLong() + (live ? LIVE_PERIOD_NANOS : PLAIN_PERIOD_NANOS);
    if (live) {
      out.print("\r" + text + CLEAR_REST_OF_LINE);
      out.flush();
      dirty = true;
    } else {
      out.println(text);
    }
  }

  /** Writes a line that stays, whatever the time; the status goes on below it. */
  public void print(String text) {
    if (kind != Kind.OFF) {
      clear();
      out.println(text);
    }
  }

  /** Takes the status off the terminal. */
  public void clear() {
    if (dirty) {
      out.print("\r" + CLEAR_REST_OF_LINE);
      out.flush();
      dirty = false;
    }
  }
}
