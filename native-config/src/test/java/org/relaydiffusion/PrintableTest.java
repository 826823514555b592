// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrintableTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "plain.png",
        "caf\u00e9",
        "\u732b",
        "\u0635\u0648\u0631\u062a",
        "\ud83d\ude00",
        "a b\u00a0c",
        "C:\\new",
        "n\u0303"
      })
  void lettersMarksAndSymbolsOfEveryScriptAreShownAsTheyAre(String text) {
    assertThat(Printable.of(text)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({
    "0, u{0}", // NUL
    "9, u{9}", // tab
    "10, u{a}", // line feed
    "27, u{1b}", // escape
    "127, u{7f}", // delete
    "133, u{85}", // next line, C1
    "155, u{9b}", // control sequence introducer, C1
    "173, u{ad}", // soft hyphen
    "8203, u{200b}", // zero width space
    "8206, u{200e}", // left-to-right mark
    "8232, u{2028}", // line separator
    "8233, u{2029}", // paragraph separator
    "8238, u{202e}", // right-to-left override
    "8294, u{2066}", // left-to-right isolate
    "8297, u{2069}", // pop directional isolate
    "12644, u{3164}", // Hangul filler
    "65039, u{fe0f}", // variation selector
    "65279, u{feff}", // byte order mark
    "57344, u{e000}", // private use
    "888, u{378}", // unassigned
    "917505, u{e0001}", // language tag
    "1048576, u{100000}", // private use, supplementary
  })
  void whatMovesReordersOrHidesTextIsEscaped(int codePoint, String escape) {
    String text = "a" + Character.toString(codePoint) + "b";

    assertThat(Printable.of(text)).isEqualTo("a\\" + escape + "b");
  }

  @Test
  void surrogatesWithoutTheirPairAreEscaped() {
    assertThat(Printable.of("\ud83d")).isEqualTo("\\u{d83d}");
    assertThat(Printable.of("\ude00\ud83d")).isEqualTo("\\u{de00}\\u{d83d}");
  }

  @Test
  void noCodePointGivesAnythingThatATerminalActsUpon() {
    IntStream.rangeClosed(0, Character.MAX_CODE_POINT)
        .forEach(c ->
            assertThat(Printable.of(Character.toString(c)))
                .doesNotMatch("(?s).*[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}].*"));
  }

  @Test
  void goingThroughTwiceChangesNothing() {
    String once = Printable.of("\u001b[2J\u202e".repeat(50));

    assertThat(Printable.of(once)).isEqualTo(once);
    assertThat(Printable.line(once)).isEqualTo(once);
  }

  @Test
  void longTextKeepsItsBeginningAndItsEndingWithinTheBound() {
    String name = "model." + "block.".repeat(100) + "weight";

    assertThat(Printable.of(name))
        .hasSizeLessThanOrEqualTo(Printable.MOST)
        .startsWith("model.block.")
        .contains("...")
        .endsWith("block.weight");
    assertThat(Printable.of("x".repeat(Printable.MOST)))
        .hasSize(Printable.MOST)
        .doesNotContain(".");
  }

  @Test
  void escapesAndPairsAreKeptWholeWhereTextIsCut() {
    for (int most = 16; most < 60; most++) {
      assertThat(Printable.of("\u001b".repeat(100), most))
          .hasSizeLessThanOrEqualTo(most)
          .matches("(\\\\u\\{1b})*\\.\\.\\.(\\\\u\\{1b})*");
      assertThat(Printable.of("\ud83d\ude00".repeat(100), most))
          .hasSizeLessThanOrEqualTo(most)
          .matches("(\ud83d\ude00)+\\.\\.\\.(\ud83d\ude00)+");
    }
  }

  @Test
  void aBoundWithoutRoomForAnEscapeIsRefused() {
    assertThatThrownBy(() -> Printable.of("x", 15)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aPathIsShownWhole() {
    Path path = Path.of("/" + "folder/".repeat(100) + "x\u0007y");

    assertThat(Printable.of(path)).isEqualTo("/" + "folder/".repeat(100) + "x\\u{7}y");
  }

  @Test
  void aLineIsNotBrokenByWhatItQuotes() {
    assertThat(Printable.line("a\nrdm: done\r")).isEqualTo("a\\u{a}rdm: done\\u{d}");
  }

  @Test
  void aMessageIsOneLine() {
    assertThat(Printable.message("first\n  second\r\nthird\n")).isEqualTo("first; second; third");
    assertThat(Printable.message("a\u0085b\u2028c")).isEqualTo("a\\u{85}b\\u{2028}c");
    assertThat(Printable.message(null)).isEqualTo("no reason given");
    assertThat(Printable.message("x".repeat(1_000_000))).hasSizeLessThan(10_000);
  }

  @Test
  void exceptionsShowWhatTheyQuoteAndTheirFile() {
    assertThat(new OptionException("--seeds: '\u001b[31m' is no number"))
        .hasMessage("--seeds: '\\u{1b}[31m' is no number");
    assertThat(new FileException(Path.of("a\nrdm: done"), "cannot be read"))
        .hasMessage("a\\u{a}rdm: done: cannot be read");
  }
}
