// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class PlainTextTest {
  private record Made(
      String type, List<@Nullable Object> arguments, Map<String, @Nullable Object> attributes)
      implements PlainText.Call {}

  @Test
  void valuesAreWrittenAsJson() {
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    map.put("a \"b\"", null);
    map.put("n", BigInteger.TWO.pow(64));
    map.put("x", List.of(1L, true, 0.5, Double.NEGATIVE_INFINITY));
    assertThat(PlainText.of(map))
        .isEqualTo("{\"a \\\"b\\\"\":null,\"n\":18446744073709551616,\"x\":[1,true,0.5,\"-inf\"]}");
  }

  @Test
  void anObjectIsWrittenAsTheCallThatMakesIt() {
    assertThat(
            PlainText.of(
                new Made(
                    "argparse.Namespace", List.of(), new LinkedHashMap<>(Map.of("lr", 0.001)))))
        .isEqualTo("argparse.Namespace(lr=0.001)");
    assertThat(PlainText.of(new Made("pathlib.PosixPath", List.of("/", "tmp"), Map.of("n", 1L))))
        .isEqualTo("pathlib.PosixPath(\"/\", \"tmp\", n=1)");
  }

  @Test
  @Timeout(10)
  void aValueWhoseTextWouldFillAnyMemoryIsCut() {
    String text = "s".repeat(1 << 20);
    @Nullable Object value = text;
    for (int level = 0; level < 12; level++) {
      value = Collections.nCopies(1_000_000, value);
    }
    assertThat(PlainText.of(value)).hasSize(120).contains("sss").endsWith("...");
    assertThat(PlainText.of(Collections.nCopies(1_000_000, new ArrayList<>()))).endsWith("...");
    assertThat(PlainText.of(Map.of(text, text))).hasSize(120).endsWith("...");
    assertThat(PlainText.of(new Made(text, List.of(text), Map.of(text, text)), 400)).hasSize(400);
    assertThat(PlainText.of("\u202e".repeat(200))).hasSize(120).startsWith("\"\\u{202e}\\u{");
  }
}
