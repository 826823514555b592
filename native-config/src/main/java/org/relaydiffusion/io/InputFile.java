// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;

/**
 * Opens files for reading, regular files only: opening a pipe blocks until there is a writer, and
 * neither a pipe nor a device has a length or can be read twice. All files are opened through this
 * class or {@link MappedFile}.
 */
public final class InputFile {
  private static final int TYPE = 0170000;
  private static final int FIFO = 0010000;
  private static final int CHARACTER_DEVICE = 0020000;
  private static final int BLOCK_DEVICE = 0060000;
  private static final int SOCKET = 0140000;

  private static final String FOLDER = "a folder";
  private static final String PIPE = "a pipe";

  private InputFile() {}

  /**
   * Rejects anything that exists but is not a regular file, without opening it. A missing file is
   * reported when it is opened.
   *
   * @throws FileException saying what it is instead
   */
  public static void check(Path file) {
    String kind = irregular(file);
    if (kind != null) {
      throw new FileException(
          file,
          switch (kind) {
            case FOLDER -> "is a folder, not a file";
            case PIPE -> "is a pipe, expected a regular file: save its output to a file first";
            default -> "is %s, expected a regular file".formatted(kind);
          });
    }
  }

  /** Returns the kind of anything that exists but is not a regular file, without opening it. */
  static @Nullable String irregular(Path file) {
    BasicFileAttributes found;
    try {
      found = Files.readAttributes(file, BasicFileAttributes.class);
    } catch (IOException _) {
      return null;
    }
    return found.isRegularFile() ? null : found.isDirectory() ? FOLDER : kind(file);
  }

  /**
   * Opens an unbuffered stream of the file's bytes; the caller closes it.
   *
   * @throws FileException if it is not a regular file
   */
  public static InputStream stream(Path file) throws IOException {
    check(file);
    return Files.newInputStream(file);
  }

  /**
   * Opens a channel for reading; the caller closes it.
   *
   * @throws FileException if it is not a regular file
   */
  public static FileChannel channel(Path file) throws IOException {
    check(file);
    return FileChannel.open(file, StandardOpenOption.READ);
  }

  /**
   * Returns the content of a small file.
   *
   * @throws FileException if it is not a regular file
   */
  public static byte[] bytes(Path file) throws IOException {
    check(file);
    return Files.readAllBytes(file);
  }

  /**
   * Returns the content of a small file as text; bytes that are not UTF-8 become replacement
   * characters.
   *
   * @throws FileException if it is not a regular file
   */
  public static String text(Path file) throws IOException {
    return new String(bytes(file), StandardCharsets.UTF_8);
  }

  /** Returns the lines of a small file, read as in {@link #text}. */
  public static List<String> lines(Path file) throws IOException {
    return text(file).lines().toList();
  }

  private static String kind(Path file) {
    int type;
    try {
      type = Files.getAttribute(file, "unix:mode") instanceof Integer mode ? mode & TYPE : 0;
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException _) {
      type = 0;
    }
    return switch (type) {
      case FIFO -> PIPE;
      case SOCKET -> "a socket";
      case CHARACTER_DEVICE -> "a character device";
      case BLOCK_DEVICE -> "a block device";
      default -> "not a regular file";
    };
  }
}
