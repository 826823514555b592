// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.progress;

import java.io.PrintWriter;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.relaydiffusion.Printable;
import org.relaydiffusion.launch.command.Console;

/**
 * A line that shows the current status: redrawn on a terminal, or printed periodically to a log. On
 * a terminal it is truncated to the width, because a wrapped line cannot be redrawn. Not
 * thread-safe.
 */
public final class StatusLine {
  private static final long LIVE_PERIOD_NANOS = 100_000_000L;
  private static final long PLAIN_PERIOD_NANOS = 10_000_000_000L;
  private static final String CLEAR_REST_OF_LINE = "\033[K";

  /** Where the status is displayed, which determines how often. */
  public enum Kind {
    /** A terminal: the line is redrawn at most ten times per second. */
    LIVE,
    /** A log: at most one line every ten seconds. */
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
   * Creates an empty line.
   *
   * @param out receives the line
   * @param kind where it is displayed
   * @param nanoTime the clock, as {@link System#nanoTime}
   * @param columns width of the terminal; queried each time, because it may change
   */
  StatusLine(PrintWriter out, Kind kind, LongSupplier nanoTime, IntSupplier columns) {
    this.out = out;
    this.kind = kind;
    this.nanoTime = nanoTime;
    this.columns = columns;
    this.next = nanoTime.getAsLong() + (kind == Kind.PLAIN ? PLAIN_PERIOD_NANOS : 0);
  }

  /** Creates the status line of a command on standard error. */
  public static StatusLine of(Console console, Kind kind) {
    return new StatusLine(console.err(), kind, System::nanoTime, console::columns);
  }

  /** Returns the kind for a console: {@link Kind#OFF} unless it is {@code shown}. */
  public static Kind kind(Console console, boolean shown) {
    return !shown ? Kind.OFF : console.live() ? Kind.LIVE : Kind.PLAIN;
  }

  /** Returns whether {@link #show} would write now, which avoids formatting an unused text. */
  public boolean isDue() {
    return kind != Kind.OFF && nanoTime.getAsLong() - next >= 0;
  }

  /** Displays a status if it is due. */
  public void show(String text) {
    if (!isDue()) {
      return;
    }
    boolean live = kind == Kind.LIVE;
    next = nanoTime.getAsLong() + (live ? LIVE_PERIOD_NANOS : PLAIN_PERIOD_NANOS);
    if (live) {
      // After the last column, the cursor of a terminal may already be on the next line.
      String line = DisplayWidth.cut(Printable.line(text), columns.getAsInt() - 1);
      out.print("\r" + line + CLEAR_REST_OF_LINE);
      out.flush();
      dirty = true;
    } else {
      out.println(Printable.line(text));
    }
  }

  /** Prints a permanent line immediately; the status continues below it. */
  public void print(String text) {
    if (kind != Kind.OFF) {
      clear();
      out.println(Printable.line(text));
    }
  }

  /** Removes the status from the terminal. */
  public void clear() {
    if (dirty) {
      out.print("\r" + CLEAR_REST_OF_LINE);
      out.flush();
      dirty = false;
    }
  }
}
