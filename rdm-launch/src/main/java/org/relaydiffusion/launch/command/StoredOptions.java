// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads options that a run wrote beside its results with {@link Json}. */
public final class StoredOptions {
  private static final long MOST_BYTES = 1 << 20;

  private StoredOptions() {}

  /**
   * Returns the options by name, those of a group with a dot: {@code first.num_steps}; options that
   * are null are omitted.
   *
   * @throws FileException if the file cannot be read or is not a JSON object
   */
  public static Map<String, String> read(Path file) {
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw new FileException(
            file, "has %s bytes, too many for options".formatted(Files.size(file)));
      }
      return parse(file, InputFile.text(file));
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /** Returns the same for options that are about to be written to {@code file}. */
  public static Map<String, String> of(Path file, Map<String, ?> options) {
    return parse(file, Json.write(options));
  }

  private static Map<String, String> parse(Path file, String text) {
    try {
      JsonNode root = JsonMapper.shared().readTree(text);
      if (!root.isObject()) {
        throw new FileException(file, "is not a JSON object of options");
      }
      Map<String, String> options = new LinkedHashMap<>();
      add("", root, options);
      return options;
    } catch (JacksonException e) {
      throw new FileException(
          file, "is not valid JSON: %s".formatted(Printable.line(e.getOriginalMessage())), e);
    }
  }

  private static void add(String name, JsonNode value, Map<String, String> options) {
    if (value.isObject()) {
      value
          .properties()
          .forEach(entry ->
              add(
                  name.isEmpty() ? entry.getKey() : name + "." + entry.getKey(),
                  entry.getValue(),
                  options));
    } else if (!value.isNull()) {
      options.put(name, value.isString() ? value.stringValue() : value.toString());
    }
  }
}
