// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The fields of a JSON object in an untrusted file. Each is taken by its name and type; {@link
 * #end} rejects those that nobody took. Every error is one line that names the file and the field.
 */
public final class JsonFields {
  private static final int MOST_DEPTH = 20;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(MOST_DEPTH).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final TypeReference<LinkedHashMap<String, @Nullable Object>> OBJECT =
      new TypeReference<>() {};

  private final Path file;
  private final String where;
  private final Map<String, @Nullable Object> left;

  private JsonFields(Path file, String where, Map<String, @Nullable Object> values) {
    this.file = file;
    this.where = where;
    this.left = new LinkedHashMap<>(values);
  }

  /**
   * Reads a file that is one JSON object.
   *
   * @param mostBytes the maximum size of the file
   * @throws FileException if it cannot be read, is larger, or is not a JSON object
   */
  public static JsonFields read(Path file, long mostBytes) {
    try {
      InputFile.check(file);
      if (Files.size(file) > mostBytes) {
        throw new FileException(
            file, "has %s bytes, but the maximum is %s".formatted(Files.size(file), mostBytes));
      }
      return parse(file, "", InputFile.text(file));
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Parses a JSON object that is a part of a file.
   *
   * @param file its name for messages
   * @param part what messages call the part, such as "text 'rdm': "; empty for the whole file
   * @throws FileException if it is not a JSON object
   */
  public static JsonFields parse(Path file, String part, String json) {
    try {
      JsonNode root = MAPPER.readTree(json);
      if (!root.isObject()) {
        throw new FileException(file, part + "expected a JSON object");
      }
      return new JsonFields(file, part, MAPPER.treeToValue(root, OBJECT));
    } catch (JacksonException e) {
      throw new FileException(
          file,
          "%sis not valid JSON: %s".formatted(part, Printable.message(e.getOriginalMessage())),
          e);
    }
  }

  /** Returns the file, for messages. */
  public Path file() {
    return file;
  }

  /** Returns whether there is a field of this name that is not null. */
  public boolean has(String name) {
    return left.get(name) != null;
  }

  /** Takes a string. */
  public String text(String name) {
    Object value = take(name, "a string");
    if (value instanceof String text) {
      return text;
    }
    throw invalid(name, "a string", value);
  }

  /**
   * Takes a whole number.
   *
   * @param least the minimum
   */
  public long integer(String name, long least) {
    String expected =
        least == Long.MIN_VALUE ? "a whole number" : "a whole number of at least " + least;
    Object value = take(name, expected);
    if ((value instanceof Integer || value instanceof Long)
        && ((Number) value).longValue() >= least) {
      return ((Number) value).longValue();
    }
    throw invalid(name, expected, value);
  }

  /** Takes a finite number. */
  public double number(String name) {
    Object value = take(name, "a number");
    if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
      return number.doubleValue();
    }
    throw invalid(name, "a number", value);
  }

  /** Takes true or false. */
  public boolean truth(String name) {
    Object value = take(name, "true or false");
    if (value instanceof Boolean truth) {
      return truth;
    }
    throw invalid(name, "true or false", value);
  }

  /** Takes an object. */
  public JsonFields object(String name) {
    return new JsonFields(file, where + name + ".", values(name));
  }

  /** Takes an object as its plain values: strings, numbers, booleans, maps, lists and null. */
  public Map<String, @Nullable Object> values(String name) {
    Object value = take(name, "an object");
    if (value instanceof Map<?, ?> map) {
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      map.forEach((key, item) -> values.put(String.valueOf(key), item));
      return values;
    }
    throw invalid(name, "an object", value);
  }

  private Object take(String name, String expected) {
    Object value = left.remove(name);
    if (value == null) {
      throw error("%s is missing, expected %s".formatted(name, expected));
    }
    return value;
  }

  private FileException invalid(String name, String expected, Object found) {
    return error(
        "%s must be %s, but is '%s'"
            .formatted(name, expected, Printable.of(String.valueOf(found))));
  }

  /** Drops a field that has no meaning here. */
  public void skip(String name) {
    left.remove(name);
  }

  /**
   * Rejects fields that were not taken.
   *
   * @throws FileException naming the first of them
   */
  public void end() {
    Optional<String> unknown = left.keySet().stream().findFirst();
    if (unknown.isPresent()) {
      throw error("%s is unknown".formatted(Printable.of(unknown.get())));
    }
  }

  /** Returns an error about a field of this object, which is named by the message's first word. */
  public FileException error(String what) {
    return new FileException(file, where + what);
  }
}
