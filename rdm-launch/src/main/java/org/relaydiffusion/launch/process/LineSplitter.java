// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;

/**
 * Splits the output of a process into complete lines, and into the states of a status line that is
 * redrawn with a carriage return. Not thread-safe.
 */
final class LineSplitter {
  /** Receives the parts. */
  interface Listener {
    /** Called with a complete line, without its end. */
    void line(String text);

    /** Called with the current content of the status line; empty when it is removed. */
    void status(String text);
  }

  /** The limit for a line without an end, which must not fill the memory. */
  static final int LONGEST_LINE = 1 << 16;

  private static final String CLEAR_REST_OF_LINE = "\033[K";

  private final Charset charset;
  private final int longest;
  private final Listener listener;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private boolean afterReturn;
  private boolean overwriting;

  /**
   * Creates a splitter.
   *
   * @param charset of the text; line ends must be single bytes in it
   * @param longest the maximum number of bytes of a line; a longer one is split
   * @param listener called as soon as a line is complete
   */
  LineSplitter(Charset charset, int longest, Listener listener) {
    this.charset = charset;
    this.longest = longest;
    this.listener = listener;
  }

  /** Processes the next {@code count} bytes of {@code bytes}. */
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
      // Not a two-character line end: the following text overwrites the current line.
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

  /** Processes the end of the stream: a last line without an end counts as a line. */
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
