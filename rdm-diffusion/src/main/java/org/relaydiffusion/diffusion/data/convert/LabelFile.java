package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.MappedFile;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.json.JsonMapper;

/** Reads {@code dataset.json}: {@code {"labels": [["a/b.png", 3], ...]}}. */
final class LabelFile {
  /** Its name, at the top of a folder or archive. */
  static final String NAME = "dataset.json";

  /** The largest file of labels that is read: room for ten million pictures. */
  static final int MOST_BYTES = 1 << 29;

  private final Path file;
  private final JsonParser json;

  private LabelFile(Path file, JsonParser json) {
    this.file = file;
    this.json = json;
  }

  /**
   * The bytes of such a file.
   *
   * @throws FileException when it is unreadable, or longer than labels may be
   */
  static byte[] bytes(Path file) {
    try (MappedFile mapped = MappedFile.open(file)) {
      if (mapped.size() > MOST_BYTES) {
        throw new FileException(
            file, "has %s bytes, at most %s are read".formatted(mapped.size(), MOST_BYTES));
      }
      return mapped.bytes(0, (int) mapped.size(), "the labels");
    }
  }

  /**
   * The labels by the pictures' names.
   *
   * @param bytes the file's content
   * @param file its name, for messages
   * @return empty when it says that there are none: no labels, or null
   * @throws FileException when it is anything else
   */
  static Optional<Map<String, Integer>> read(byte[] bytes, Path file) {
    try (JsonParser json = JsonMapper.shared().createParser(bytes)) {
      return new LabelFile(file, json).read();
    } catch (JacksonException e) {
      throw new FileException(
          file, "is no valid JSON: " + Printable.of(String.valueOf(e.getOriginalMessage())), e);
    }
  }

  private Optional<Map<String, Integer>> read() {
    expect(json.nextToken(), JsonToken.START_OBJECT, "an object");
    Optional<Map<String, Integer>> labels = Optional.empty();
    while (json.nextToken() == JsonToken.PROPERTY_NAME) {
      boolean isLabels = json.currentName().equals("labels");
      JsonToken value = json.nextToken();
      if (isLabels && value != JsonToken.VALUE_NULL) {
        expect(value, JsonToken.START_ARRAY, "\"labels\" with a list or null");
        labels = Optional.of(labels());
      } else {
        json.skipChildren();
      }
    }
    return labels.filter(found -> !found.isEmpty());
  }

  private Map<String, Integer> labels() {
    Map<String, Integer> labels = new HashMap<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      String expected = "label %s as [name, class]".formatted(labels.size());
      expect(json.currentToken(), JsonToken.START_ARRAY, expected);
      expect(json.nextToken(), JsonToken.VALUE_STRING, expected);
      String name = json.getString();
      expect(json.nextToken(), JsonToken.VALUE_NUMBER_INT, expected);
      if (json.getNumberType() != JsonParser.NumberType.INT || json.getIntValue() < 0) {
        throw new FileException(
            file, "expected classes from 0 to 2^31 - 1, but found " + Printable.of(json.getString()));
      }
      labels.put(name, json.getIntValue());
      expect(json.nextToken(), JsonToken.END_ARRAY, expected);
    }
    return labels;
  }

  private void expect(JsonToken found, JsonToken expected, String what) {
    if (found != expected) {
      throw new FileException(
          file,
          "expected %s at line %s, but found %s"
              .formatted(
                  what,
                  json.currentTokenLocation().getLineNr(),
                  found == null ? "the end" : "'" + Printable.of(json.getString()) + "'"));
    }
  }
}
