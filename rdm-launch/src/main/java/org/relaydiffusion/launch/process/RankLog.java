// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.relaydiffusion.FileException;

/**
 * The file with the output of one rank in one attempt: {@code FOLDER/attempt_0/rank_3.log}. A later
 * run appends to the same file. Thread-safe.
 */
final class RankLog implements AutoCloseable {
  private final Path file;
  private final Writer writer;
  private final Screen screen;
  private boolean broken;

  private RankLog(Path file, Writer writer, Screen screen) {
    this.file = file;
    this.writer = writer;
    this.screen = screen;
  }

  /**
   * Opens the file, creating its folders.
   *
   * @param folder of all files
   * @param attempt from 0
   * @param rank the global rank
   * @param screen receives a message once if writing to the file fails
   * @throws FileException if it cannot be created
   */
  static RankLog open(Path folder, int attempt, int rank, Screen screen) {
    Path file = folder.resolve("attempt_" + attempt).resolve("rank_%s.log".formatted(rank));
    try {
      Files.createDirectories(file.getParent());
      Writer writer =
          Files.newBufferedWriter(
              file,
              StandardCharsets.UTF_8,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.APPEND);
      return new RankLog(file, writer, screen);
    } catch (IOException e) {
      throw new FileException(file, "cannot be written: " + e.getMessage(), e);
    }
  }

  Path file() {
    return file;
  }

  /** Writes a header for the lines of the next process. */
  void begin(String what) {
    line("rdm launch: %s, %s".formatted(Instant.now().truncatedTo(ChronoUnit.SECONDS), what));
  }

  /** Appends a line and flushes it, since logs are read while they grow. */
  synchronized void line(String text) {
    if (broken) {
      return;
    }
    try {
      writer.write(text);
      writer.write(System.lineSeparator());
      writer.flush();
    } catch (IOException e) {
      // The rank continues: its work is worth more than its log.
      broken = true;
      screen.say("%s: can no longer be written: %s".formatted(file, e.getMessage()));
    }
  }

  @Override
  public synchronized void close() {
    try {
      writer.close();
    } catch (IOException e) {
      if (!broken) {
        screen.say("%s: cannot be closed: %s".formatted(file, e.getMessage()));
      }
    }
    broken = true;
  }
}
