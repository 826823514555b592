package org.relaydiffusion.launch.progress;

import java.io.PrintWriter;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.relaydiffusion.Printable;
import org.relaydiffusion.launch.command.Console;

/**
 * A line that says how things stand: written over again and again on a terminal, and now and then
 * as a line of its own in a log. On a terminal it is cut where it would not fit: a line that wraps
 * cannot be written over. One thread at a time.
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
  private final IntSupplier columns;
  private long next;
  private boolean dirty;

  /**
   * A line that is empty at first.
   *
   * @param out where it is written
   * @param kind how
   * @param nanoTime the clock, as {@link System#nanoTime}
   * @param columns of the terminal, asked each time: its user may change its size
   */
  StatusLine(PrintWriter out, Kind kind, LongSupplier nanoTime, IntSupplier columns) {
    this.out = out;
    this.kind = kind;
    this.nanoTime = nanoTime;
    this.columns = columns;
    this.next = nanoTime.getAsLong() + (kind == Kind.PLAIN ? PLAIN_PERIOD_NANOS : 0);
  }

  /** The status of a command on standard error. */
  public static StatusLine of(Console console, Kind kind) {
    return new StatusLine(console.err(), kind, System::nanoTime, console::columns);
  }

  /** The kind for a console: {@link Kind#OFF} unless it is {@code shown}. */
  public static Kind kind(Console console, boolean shown) {
    return !shown ? Kind.OFF : console.live() ? Kind.LIVE : Kind.PLAIN;
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
      // In the last column a terminal's cursor may stand on the next line already.
      String line = DisplayWidth.cut(Printable.line(text), columns.getAsInt() - 1);
      out.print("\r" + line + CLEAR_REST_OF_LINE);
      out.flush();
      dirty = true;
    } else {
      out.println(Printable.line(text));
    }
  }

  /** Writes a line that stays, whatever the time; the status goes on below it. */
  public void print(String text) {
    if (kind != Kind.OFF) {
      clear();
      out.println(Printable.line(text));
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
