package org.relaydiffusion.diffusion.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/**
 * {@code stats.jsonl}: a line a tick, an object of {@code num}, {@code mean} and {@code std} for
 * each statistic, under the reference's names.
 */
final class StatsFile {
  private static final String KIMG = "\"Progress/kimg\": {\"num\": 1, \"mean\": ";

  private final Path file;

  /**
   * The file of a run.
   *
   * @param kimg where the run goes on: what an interrupted run wrote about later images is dropped,
   *     for it will be written again
   */
  StatsFile(Path file, double kimg) {
    this.file = file;
    if (Files.exists(file)) {
      try {
        List<String> kept = new ArrayList<>();
        for (String line : InputFile.lines(file)) {
          if (line.endsWith("}") && kimgOf(line) <= kimg) {
            kept.add(line);
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

  private static double kimgOf(String line) {
    int at = line.indexOf(KIMG);
    if (at < 0) {
      return 0;
    }
    int from = at + KIMG.length();
    try {
      return Double.parseDouble(line.substring(from, line.indexOf(',', from)));
    } catch (NumberFormatException | StringIndexOutOfBoundsException _) {
      return 0;
    }
  }

  /**
   * Appends a line.
   *
   * @param now seconds since 1970
   */
  void append(Map<String, Moments> statistics, double now) {
    StringBuilder line = new StringBuilder("{");
    statistics.forEach((name, m) ->
        line.append(
            "\"%s\": {\"num\": %s, \"mean\": %s, \"std\": %s}, "
                .formatted(name, (long) m.count(), number(m.mean()), number(m.deviation()))));
    line.append("\"timestamp\": ").append(now).append("}\n");
    try {
      Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new FileException(file, "cannot be written: " + AtomicFile.reason(e), e);
    }
  }

  // As Python's json writes what JSON has no word for.
  private static String number(double value) {
    return Double.isNaN(value)
        ? "NaN"
        : Double.isInfinite(value)
            ? (value > 0 ? "Infinity" : "-Infinity")
            : Double.toString(value);
  }
}
