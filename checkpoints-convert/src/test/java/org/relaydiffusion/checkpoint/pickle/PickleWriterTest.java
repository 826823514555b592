// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.pickle.PickleWriter.Protocol;

class PickleWriterTest {
  /** What {@code pickletools.optimize(pickle.dumps(value, 2))} gives, but for unused memos. */
  @Test
  void smallValuesAreThePicklesThatPythonWrites() throws IOException {
    assertThat(hex(null)).isEqualTo("80024e2e");
    assertThat(hex(true)).isEqualTo("8002882e");
    assertThat(hex(255)).isEqualTo("80024bff2e");
    assertThat(hex(256)).isEqualTo("80024d00012e");
    assertThat(hex(65536L)).isEqualTo("80024a000001002e");
    assertThat(hex(-1)).isEqualTo("80024affffffff2e");
    assertThat(hex(1L << 31)).isEqualTo("80028a0500000080002e");
    assertThat(hex(Long.MIN_VALUE)).isEqualTo("80028a0800000000000000802e");
    assertThat(hex(1.5)).isEqualTo("8002473ff80000000000002e");
    assertThat(hex(new Tuple(List.of()))).isEqualTo("8002292e");
    assertThat(hex(new Tuple(List.of(1, 2)))).isEqualTo("80024b014b02862e");
    assertThat(hex(List.of(1, 2))).isEqualTo("80025d284b014b02652e");
    assertThat(hex(Map.of())).isEqualTo("80027d2e");
    assertThat(hex("ab")).isEqualTo("800258020000006162" + "7100" + "2e");
  }

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void everyValueComesBack(Protocol protocol) throws IOException {
    List<@Nullable Object> numbers =
        Arrays.asList(
            0,
            -1,
            255,
            256,
            65535,
            65536,
            Integer.MAX_VALUE,
            Integer.MIN_VALUE,
            Long.MAX_VALUE,
            Long.MIN_VALUE,
            (byte) -3,
            (short) -300);
    BigInteger big = BigInteger.ONE.shiftLeft(127).negate();
    Map<Object, @Nullable Object> value = new LinkedHashMap<>();
    value.put("numbers", numbers);
    value.put("big", big);
    value.put("reals", List.of(0.1, -0.0, Double.MAX_VALUE, Double.NEGATIVE_INFINITY, 0.5f));
    value.put("none", Arrays.asList(null, PyNone.NONE));
    value.put("flags", List.of(true, false));
    value.put("text", List.of("", "e\u0301\u4e2d\ud83d\ude80", "none", "text"));
    value.put(7L, new Tuple(List.of(1L, new Tuple(List.of(1L, 2L, 3L, 4L)))));
    value.put("set", Set.of("x"));
    value.put("empty set", Set.of());
    value.put("map", Map.of(1L, Map.of()));
    Map<?, ?> read = (Map<?, ?>) read(protocol, value);
    assertThat(read.keySet().stream().map(Object.class::cast))
        .containsExactlyElementsOf(value.keySet());
    assertThat(read.get("numbers"))
        .isEqualTo(numbers.stream().map(n -> n == null ? n : ((Number) n).longValue()).toList());
    assertThat(read.get("big")).isEqualTo(big);
    assertThat(read.get("reals"))
        .isEqualTo(List.of(0.1, -0.0, Double.MAX_VALUE, Double.NEGATIVE_INFINITY, 0.5));
    assertThat(read.get("none")).isEqualTo(List.of(PyNone.NONE, PyNone.NONE));
    for (String same : List.of("flags", "text", "set", "empty set", "map")) {
      assertThat(read.get(same)).isEqualTo(value.get(same));
    }
    assertThat(read.get(7L)).isEqualTo(value.get(7L));
  }

  @Test
  void moreThan256TextsAreReferredToByLongerIndices() throws IOException {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      texts.add("text " + i);
    }
    List<String> twice = new ArrayList<>(texts);
    twice.addAll(texts);
    assertThat(read(Protocol.TWO, twice)).isEqualTo(twice);
    assertThat(write(Protocol.TWO, twice).length - write(Protocol.TWO, texts).length)
        .as("2 bytes for each of 256 references, 5 for the others")
        .isEqualTo(256 * 2 + 44 * 5);
  }

  @Test
  void longTextsAndBytesAreWrittenWhole() throws IOException {
    String text = "x".repeat(300);
    assertThat(read(Protocol.TWO, List.of(text, text))).isEqualTo(List.of(text, text));
    byte[] content = "bytes".getBytes(StandardCharsets.US_ASCII);
    PickleForm bytes = new PickleForm.Bytes(content.length, out -> out.write(content));
    ByteRange read = (ByteRange) read(Protocol.FOUR, bytes);
    assertThat(read.memory().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(content);
    assertThatThrownBy(() -> write(Protocol.TWO, bytes))
        .hasMessage("protocol 2 has no byte strings");
  }

  @Test
  void whatIsNoValueIsRefused() {
    assertThatThrownBy(() -> write(Protocol.TWO, new StringReader("")))
        .isInstanceOf(RdmException.class)
        .hasMessage("a StringReader cannot be written to a pickle");
    List<Object> loop = new ArrayList<>();
    loop.add(loop);
    assertThatThrownBy(() -> write(Protocol.TWO, loop))
        .isInstanceOf(RdmException.class)
        .hasMessageContaining("more than 100 levels");
    assertThatThrownBy(() -> write(Protocol.TWO, BigInteger.ONE.shiftLeft(3000)))
        .isInstanceOf(RdmException.class)
        .hasMessageContaining("3001 bits");
  }

  private static String hex(@Nullable Object value) throws IOException {
    return HexFormat.of().formatHex(write(Protocol.TWO, value));
  }

  private static byte[] write(Protocol protocol, @Nullable Object value) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PickleWriter.write(out, protocol, value);
    return out.toByteArray();
  }

  private static Object read(Protocol protocol, Object value) throws IOException {
    byte[] bytes = write(protocol, value);
    PickleBudget budget = new PickleBudget(Arena.ofAuto(), bytes.length);
    PickleInput in = new PickleInput(MemorySegment.ofArray(bytes));
    Object read =
        PickleReader.read(
            Path.of("x"),
            "it",
            in,
            budget,
            Collections.unmodifiableMap(PythonGlobals.table(budget)),
            PickleReader.PersistentIds.none());
    assertThat(in.remaining()).isZero();
    return read;
  }
}
