// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;
import org.relaydiffusion.model.JsonText;
import tools.jackson.core.JacksonException;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code stats.jsonl}: one line per tick, an object with {@code num}, {@code mean} and {@code std}
 * for each statistic, under the reference's names. The reference writes NaN, like Python's json;
 * here every line is valid JSON, see {@link JsonText#number}.
 */
final class StatsFile {
  /** Also reads lines written by the reference. */
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  private static final TypeReference<LinkedHashMap<String, @Nullable Object>> OBJECT =
      new TypeReference<>() {};

  private final Path file;

  /**
   * Opens the file of a run.
   *
   * @param kimg the position at which the run is resumed: lines of an interrupted run about later
   *     images are dropped, since they will be written again
   */
  StatsFile(Path file, double kimg) {
    this.file = file;
    if (Files.exists(file)) {
      try {
        List<String> kept = new ArrayList<>();
        for (String line : InputFile.lines(file)) {
          Map<String, @Nullable Object> values = read(line);
          if (values != null && kimgOf(values) <= kimg) {
            kept.add(write(values));
          }
        }
        byte[] text =
            (String.join("\n", kept) + (kept.isEmpty() ? "" : "\n"))
                .getBytes(StandardCharsets.UTF_8);
        AtomicFile.write(
            file,
            out -> {
              ByteBuffer bytes = ByteBuffer.wrap(text);
              while (bytes.hasRemaining()) {
                out.write(bytes);
              }
            });
      } catch (IOException e) {
        throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
      }
    }
  }

  /** Returns the values of a line; null if it is truncated. */
  private static @Nullable Map<String, @Nullable Object> read(String line) {
    try {
      return MAPPER.readValue(line, OBJECT);
    } catch (JacksonException _) {
      return null;
    }
  }

  private static double kimgOf(Map<String, @Nullable Object> line) {
    return line.get("Progress/kimg") instanceof Map<?, ?> kimg
            && kimg.get("mean") instanceof Number mean
        ? mean.doubleValue()
        : 0;
  }

  private static String write(Map<String, @Nullable Object> line) {
    return MAPPER.writeValueAsString(JsonText.finite(line));
  }

  /**
   * Appends a line.
   *
   * @param now seconds since 1970
   */
  void append(Map<String, Moments> statistics, double now) {
    Map<String, @Nullable Object> line = new LinkedHashMap<>();
    statistics.forEach((name, m) -> {
      Map<String, Object> moments = new LinkedHashMap<>();
      moments.put("num", (long) m.count());
      moments.put("mean", m.mean());
      moments.put("std", m.deviation());
      line.put(name, moments);
    });
    line.put("timestamp", now);
    try {
      Files.writeString(
          file, write(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new FileException(file, "cannot be written: " + AtomicFile.reason(e), e);
    }
  }
}
