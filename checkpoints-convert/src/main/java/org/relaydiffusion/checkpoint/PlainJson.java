// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Converts plain values to JSON and back. JSON has no infinities: they are written as the strings
 * {@code "inf"}, {@code "-inf"} and {@code "nan"}, which no setting uses otherwise.
 */
final class PlainJson {
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(20).build())
                  .build())
          .enable(DeserializationFeature.USE_LONG_FOR_INTS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private PlainJson() {}

  /** Returns one line of JSON. */
  static String write(@Nullable Object plain) {
    return MAPPER.writeValueAsString(encode(plain));
  }

  /**
   * Parses an object.
   *
   * @throws JacksonException if it is not a JSON object
   */
  static Map<String, @Nullable Object> readObject(String json) {
    JsonNode root = MAPPER.readTree(json);
    if (!root.isObject()) {
      throw new StreamReadException(null, "expected a JSON object");
    }
    Map<String, @Nullable Object> read =
        MAPPER.treeToValue(root, new TypeReference<LinkedHashMap<String, @Nullable Object>>() {});
    Map<String, @Nullable Object> decoded = new LinkedHashMap<>();
    read.forEach((key, value) -> decoded.put(key, decode(value)));
    return decoded;
  }

  /**
   * Parses a list of strings.
   *
   * @throws JacksonException if it is not a JSON list of strings
   */
  static List<String> readStrings(String json) {
    JsonNode root = MAPPER.readTree(json);
    List<String> strings = new ArrayList<>();
    for (JsonNode item : root) {
      if (item.isString()) {
        strings.add(item.stringValue());
      }
    }
    if (!root.isArray() || strings.size() < root.size()) {
      throw new StreamReadException(null, "expected a JSON list of strings");
    }
    return strings;
  }

  private static @Nullable Object encode(@Nullable Object value) {
    return switch (value) {
      case Double d when d.isNaN() -> "nan";
      case Double d when d.isInfinite() -> d > 0 ? "inf" : "-inf";
      case List<?> list -> {
        List<@Nullable Object> encoded = new ArrayList<>();
        list.forEach(item -> encoded.add(encode(item)));
        yield encoded;
      }
      case Map<?, ?> map -> {
        Map<Object, @Nullable Object> encoded = new LinkedHashMap<>();
        map.forEach((key, item) -> encoded.put(key, encode(item)));
        yield encoded;
      }
      case null, default -> value;
    };
  }

  private static @Nullable Object decode(@Nullable Object value) {
    return switch (value) {
      case String s when s.equals("inf") -> Double.POSITIVE_INFINITY;
      case String s when s.equals("-inf") -> Double.NEGATIVE_INFINITY;
      case String s when s.equals("nan") -> Double.NaN;
      case List<?> list -> {
        List<@Nullable Object> decoded = new ArrayList<>();
        list.forEach(item -> decoded.add(decode(item)));
        yield decoded;
      }
      case Map<?, ?> map -> {
        Map<Object, @Nullable Object> decoded = new LinkedHashMap<>();
        map.forEach((key, item) -> decoded.put(key, decode(item)));
        yield decoded;
      }
      case null, default -> value;
    };
  }
}
