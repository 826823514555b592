// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConsoleTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private Console console(Map<String, String> environment) {
    return new Console(new PrintWriter(out), new PrintWriter(err), true, environment);
  }

  @Test
  void noLineIsBrokenOrMovedByWhatItQuotes() {
    Console console = console(Map.of());
    console.print("a\nrdm: done\u009b2J");
    console.say("b\r\u202e");

    assertThat(out.toString()).isEqualTo("a\\u{a}rdm: done\\u{9b}2J" + System.lineSeparator());
    assertThat(err.toString()).isEqualTo("b\\u{d}\\u{202e}" + System.lineSeparator());
  }

  @Test
  void columnsAreWhatTheUserSays() {
    assertThat(console(Map.of("COLUMNS", "132")).columns()).isEqualTo(132);
    int own = console(Map.of()).columns();
    assertThat(own).isPositive();
    assertThat(console(Map.of("COLUMNS", "wide")).columns()).isEqualTo(own);
    assertThat(console(Map.of("COLUMNS", "0")).columns()).isEqualTo(own);
  }

  @Test
  void aResultThatCannotBeWrittenIsKnown() {
    Writer broken =
        new Writer() {
          @Override
          public void write(char[] text, int offset, int count) throws java.io.IOException {
            throw new java.io.IOException("No space left on device");
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Console console = new Console(new PrintWriter(broken), new PrintWriter(err), false, Map.of());

    assertThat(console.failure()).isEmpty();
    console.print("a result");
    assertThat(console.failure()).isPresent();
  }
}
