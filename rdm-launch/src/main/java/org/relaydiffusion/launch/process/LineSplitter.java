package org.relaydiffusion.launch.process;

import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;

/**
 * Cuts what a process writes into whole lines, and into the states of a status line that it writes
 * over with a carriage return. One thread at a time.
 */
final class LineSplitter {
  /** Where what was cut goes. */
  interface Listener {
    /** A whole line, without its end. */
    void line(String text);

    /** What the status line says now; empty when it is taken away. */
    void status(String text);
  }

  /** A program that never ends its line must not fill the memory. */
  static final int LONGEST_LINE = 1 << 16;

  private static final String CLEAR_REST_OF_LINE = "\033[K";

  private final Charset charset;
  private final int longest;
  private final Listener listener;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private boolean afterReturn;
  private boolean overwriting;

  /**
   * A splitter that has seen nothing.
   *
   * @param charset of the text; one in which line ends are single bytes
   * @param longest the most bytes of a line; a longer one is cut
   * @param listener told as soon as a line is whole
   */
  LineSplitter(Charset charset, int longest, Listener listener) {
    this.charset = charset;
    this.longest = longest;
    this.listener = listener;
  }

  /** Takes the next {@code count} of {@code bytes}. */
  void accept(byte[] bytes, int count) {
    for (int i = 0; i < count; i++) {
      accept(bytes[i]);
    }
    if (overwriting) {
      listener.status(text());
    }
  }

  private void accept(byte b) {
    if (b == '\n') {
      endLine();
      return;
    }
    if (afterReturn) {
      // No line end of two characters: what comes is written over what was there.
      afterReturn = false;
      overwriting = true;
      line.reset();
    }
    if (b == '\r') {
      afterReturn = true;
      return;
    }
    line.write(b);
    if (line.size() >= longest) {
      endLine();
    }
  }

  private void endLine() {
    String text = text();
    if (overwriting) {
      listener.status("");
    }
    line.reset();
    afterReturn = false;
    overwriting = false;
    listener.line(text);
  }

  /** Nothing more comes: a last line without an end is a line all the same. */
  void end() {
    if (overwriting) {
      listener.status("");
      overwriting = false;
    }
    String last = text();
    line.reset();
    if (!last.isEmpty()) {
      listener.line(last);
    }
  }

  private String text() {
    return line.toString(charset).replace(CLEAR_REST_OF_LINE, "");
  }
}
