// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LineSplitterTest {
  /** Lines as {@code |text}, states of the status line as {@code ~text}. */
  private final List<String> heard = new ArrayList<>();

  private final LineSplitter splitter =
      new LineSplitter(
          StandardCharsets.UTF_8,
          LineSplitter.LONGEST_LINE,
          new LineSplitter.Listener() {
            @Override
            public void line(String text) {
              heard.add("|" + text);
            }

            @Override
            public void status(String text) {
              heard.add("~" + text);
            }
          });

  private void accept(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    splitter.accept(bytes, bytes.length);
  }

  @Test
  void aLineIsWholeHoweverItArrives() {
    accept("one\ntw");
    accept("");
    accept("o\r\n\nthr");
    assertThat(heard).containsExactly("|one", "|two", "|");
    splitter.end();
    assertThat(heard).endsWith("|thr");
  }

  @Test
  void aCharacterMayArriveInPieces() {
    for (byte b : "größer ✓\n".getBytes(StandardCharsets.UTF_8)) {
      splitter.accept(new byte[] {b}, 1);
    }
    assertThat(heard).containsExactly("|größer ✓");
  }

  @Test
  void whatIsWrittenOverIsAStatus() {
    accept("\rstep 1\033[K");
    accept("\rstep 2\033[K");
    accept("\r\033[K");
    accept("done\n");
    assertThat(heard).startsWith("~step 1", "~step 2").endsWith("~", "|done");
    assertThat(heard).filteredOn(h -> h.startsWith("|")).containsExactly("|done");
  }

  @Test
  void onlyTheLastOfALineWrittenOverStays() {
    accept("10 %\r50 %\r100 %\nnext\n");
    assertThat(heard).containsExactly("~", "|100 %", "|next");
  }

  @Test
  void aLineThatNeverEndsIsCut() {
    accept("x".repeat(LineSplitter.LONGEST_LINE + 5));
    assertThat(heard).hasSize(1);
    splitter.end();
    assertThat(heard).hasSize(2).last().isEqualTo("|xxxxx");
  }
}
