// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.Printable;

/** What all JSON of this project has in common, whichever class writes it. */
public final class JsonText {
  private JsonText() {}

  /**
   * A number as a JSON value. JSON has neither infinities nor NaN, and readers other than Python's
   * refuse them: NaN becomes null, and an infinity the string "Infinity" or "-Infinity", which
   * Python, JavaScript and Java parse as a number again.
   */
  public static @Nullable Object number(double value) {
    if (Double.isNaN(value)) {
      return null;
    }
    return Double.isInfinite(value) ? Double.toString(value) : (Object) value;
  }

  /** Returns a value with {@link #number} applied to all numbers in it and in its maps. */
  public static @Nullable Object finite(@Nullable Object value) {
    return switch (value) {
      case Double number -> number(number);
      case Map<?, ?> map -> {
        Map<Object, @Nullable Object> finite = new LinkedHashMap<>();
        map.forEach((key, inner) -> finite.put(key, finite(inner)));
        yield finite;
      }
      case null, default -> value;
    };
  }

  /**
   * JSON as a person may look at it: every character that is not {@link Printable} is written as an
   * escape of JSON, so the value is the same.
   */
  public static String printable(String json) {
    StringBuilder text = new StringBuilder(json.length());
    json.codePoints()
        .forEach(c -> {
          // Control characters below DEL are escaped already, or indent.
          if (c < 0x7f || Printable.isShown(c)) {
            text.appendCodePoint(c);
          } else {
            for (char unit : Character.toChars(c)) {
              text.append("\\u").append(HexFormat.of().toHexDigits(unit));
            }
          }
        });
    return text.toString();
  }
}
