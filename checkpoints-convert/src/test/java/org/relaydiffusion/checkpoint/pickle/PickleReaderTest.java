// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;

/** Pickles that CPython 3.11 wrote, and some that it would not write. */
class PickleReaderTest {
  /** One dictionary of values of all plain types, dumped in protocols 0 to 5. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "286470300a56610a70310a49310a7356620a70320a286c70330a46312e350a614e614930310a6149"
            + "30300a61492d370a614937303030300a614c31313830353931363230373137343131333033343234"
            + "4c0a614c2d383538393933343539324c0a6156e95c75303030615c75323630335c75303035637530"
            + "3034310a70340a617356630a70350a2849310a49320a49330a49340a7470360a7356640a70370a28"
            + "49350a7470380a7356650a70390a635f5f6275696c74696e5f5f0a7365740a7031300a28286c7031"
            + "310a56780a7031320a61747031330a527031340a7356660a7031350a635f636f646563730a656e63"
            + "6f64650a7031360a28565c7530303030ff410a7031370a566c6174696e310a7031380a747031390a"
            + "527032300a7356670a7032310a63636f6c6c656374696f6e730a4f726465726564446963740a7032"
            + "320a2874527032330a566b0a7032340a49310a737356680a7032350a286c7032360a7356690a7032"
            + "370a28647032380a73566a0a7032390a46696e660a736732340a67330a732e",
        "7d71002858010000006171014b0158010000006271025d710328473ff80000000000004e4930310a"
            + "4930300a4af9ffffff4a701101004c313138303539313632303731373431313330333432344c0a4c"
            + "2d383538393933343539324c0a580c000000c3a90ae298835c753030343171046558010000006371"
            + "05284b014b024b034b047471065801000000647107284b057471085801000000657109635f5f6275"
            + "696c74696e5f5f0a7365740a710a285d710b580100000078710c6174710d52710e58010000006671"
            + "0f635f636f646563730a656e636f64650a711028580400000000c3bf41711158060000006c617469"
            + "6e317112747113527114580100000067711563636f6c6c656374696f6e730a4f7264657265644469"
            + "63740a71162952711758010000006b71184b017358010000006871195d711a580100000069711b7d"
            + "711c58010000006a711d477ff000000000000068186803752e",
        "80027d71002858010000006171014b0158010000006271025d710328473ff80000000000004e8889"
            + "4af9ffffff4a701101008a090000000000000000408a0500000000fe580c000000c3a90ae298835c"
            + "75303034317104655801000000637105284b014b024b034b0474710658010000006471074b058571"
            + "085801000000657109635f5f6275696c74696e5f5f0a7365740a710a5d710b580100000078710c61"
            + "85710d52710e580100000066710f635f636f646563730a656e636f64650a7110580400000000c3bf"
            + "41711158060000006c6174696e317112867113527114580100000067711563636f6c6c656374696f"
            + "6e730a4f726465726564446963740a71162952711758010000006b71184b01735801000000687119"
            + "5d711a580100000069711b7d711c58010000006a711d477ff000000000000068186803752e",
        "80037d71002858010000006171014b0158010000006271025d710328473ff80000000000004e8889"
            + "4af9ffffff4a701101008a090000000000000000408a0500000000fe580c000000c3a90ae298835c"
            + "75303034317104655801000000637105284b014b024b034b0474710658010000006471074b058571"
            + "085801000000657109636275696c74696e730a7365740a710a5d710b580100000078710c6185710d"
            + "52710e580100000066710f430300ff417110580100000067711163636f6c6c656374696f6e730a4f"
            + "726465726564446963740a71122952711358010000006b71144b017358010000006871155d711658"
            + "010000006971177d711858010000006a7119477ff000000000000068146803752e",
        "800495c0000000000000007d94288c0161944b018c0162945d9428473ff80000000000004e88894a"
            + "f9ffffff4a701101008a090000000000000000408a0500000000fe8c0cc3a90ae298835c75303034"
            + "3194658c016394284b014b024b034b0474948c0164944b0585948c0165948f94288c017894908c01"
            + "6694430300ff41948c0167948c0b636f6c6c656374696f6e73948c0b4f7264657265644469637494"
            + "93942952948c016b944b01738c0168945d948c0169947d948c016a94477ff0000000000000681368"
            + "03752e",
        "800595c0000000000000007d94288c0161944b018c0162945d9428473ff80000000000004e88894a"
            + "f9ffffff4a701101008a090000000000000000408a0500000000fe8c0cc3a90ae298835c75303034"
            + "3194658c016394284b014b024b034b0474948c0164944b0585948c0165948f94288c017894908c01"
            + "6694430300ff41948c0167948c0b636f6c6c656374696f6e73948c0b4f7264657265644469637494"
            + "93942952948c016b944b01738c0168945d948c0169947d948c016a94477ff0000000000000681368"
            + "03752e"
      })
  void everyProtocolGivesTheSameValues(String hex) {
    Map<?, ?> value = (Map<?, ?>) read(hex);
    assertThat(value.keySet())
        .map(Object::toString)
        .containsExactly("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k");
    assertThat((Object) value.get("a")).isEqualTo(1L);
    assertThat((Object) value.get("b"))
        .isEqualTo(
            List.of(
                1.5,
                PyNone.NONE,
                true,
                false,
                -7L,
                70000L,
                BigInteger.TWO.pow(70),
                -(1L << 33),
                "\u00e9\n\u2603\\u0041"));
    assertThat((Object) value.get("c")).isEqualTo(new Tuple(List.of(1L, 2L, 3L, 4L)));
    assertThat((Object) value.get("d")).isEqualTo(new Tuple(List.of(5L)));
    assertThat((Object) value.get("e")).isEqualTo(Set.of("x"));
    assertThat(
            value.get("f") instanceof ByteRange f
                ? f.memory().toArray(ValueLayout.JAVA_BYTE)
                : null)
        .containsExactly(0, 0xff, 0x41);
    assertThat((Object) value.get("g")).isEqualTo(Map.of("k", 1L));
    assertThat((Object) value.get("h")).isEqualTo(List.of());
    assertThat((Object) value.get("i")).isEqualTo(Map.of());
    assertThat((Object) value.get("j")).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat((Object) value.get("k")).as("shared, not copied").isSameAs(value.get("b"));
  }

  @ParameterizedTest(name = "{2}")
  @CsvSource({
    "80024eaa2e, 0xaa, an opcode that does not exist",
    "2e, empty stack, nothing to return",
    "282e, empty stack, only a mark",
    "4e4e2e, left over, two values",
    "5d28752e, sets an item of a list, items for a list",
    "7d4e292e, left over, two values left",
    "8006, protocol 6, a newer protocol",
    "8e0000000000000040, declares 4611686018427387904 bytes, a long string",
    "8effffffffffffffff, declares 18446744073709551615 bytes, a negative length",
    "9500000000000000102e, frame, a long frame",
    "5272ffffff7f2e, empty stack, a call of nothing",
    "4e72ffffff7f2e, stores a value under the number 2147483647, a huge memo",
    "68002e, was not stored, an empty memo",
    "8b00000080, declares, a negative length of a number",
    "82012e, extension registry, an extension",
    "972e, outside the pickle, a buffer",
    "284e6f2e, constructs an object of None, an object of None",
    "4e4e622e, sets the state of None, the state of None",
    "4e512e, persistent id None, a persistent id",
  })
  void whatIsBrokenIsRefusedWithItsReason(String hex, String reason, String what) {
    assertThatThrownBy(() -> read(hex))
        .as(what)
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith("file.pkl: the pickle, byte ")
        .hasMessageContaining(reason);
  }

  @Test
  void aNameThatIsNotKnownIsNamedEvenWithControlCharacters() {
    String evil =
        "63"
            + HexFormat.of()
                .formatHex(
                    "os\u001b[2J\nsystem\n".getBytes(java.nio.charset.StandardCharsets.UTF_8))
            + "2e";
    assertThatThrownBy(() -> read(evil))
        .hasMessageContaining("os\\u{1b}[2J.system is not allowed in a checkpoint");
  }

  @Test
  void aRepeatedCopyOfALargeListIsStopped() {
    // list(memo 0) over and over: each of the calls is short, the copies are not.
    StringBuilder hex = new StringBuilder("80025d710028");
    hex.append("4e".repeat(5000)).append("65");
    hex.append("635f5f6275696c74696e5f5f0a6c6973740a710128");
    hex.append("680168008552".repeat(1000)).append("6c2e");
    assertThatThrownBy(() -> read(hex.toString())).hasMessageContaining("opcodes");
  }

  private static Object read(String hex) {
    try (Arena arena = Arena.ofConfined()) {
      byte[] bytes = HexFormat.of().parseHex(hex);
      PickleBudget budget = new PickleBudget(arena, bytes.length);
      return PickleReader.read(
          Path.of("file.pkl"),
          "the pickle",
          new PickleInput(MemorySegment.ofArray(bytes)),
          budget,
          PythonGlobals.table(budget),
          PickleReader.PersistentIds.none());
    }
  }
}
