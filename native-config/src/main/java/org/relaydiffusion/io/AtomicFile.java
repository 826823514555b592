// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;

/**
 * Writes files atomically: to a temporary file beside the target, which is flushed to disk and then
 * renamed. After a crash, a full disk or an exception, the old file is unchanged, or there is none.
 * A file whose parts are not at hand at once is written with {@link UnfinishedFile}.
 */
public final class AtomicFile {
  private static final String UUID_DIGITS = "\\p{XDigit}{8}(?:-\\p{XDigit}{4}){3}-\\p{XDigit}{12}";

  /** The names of the temporary files of {@link UnfinishedFile} and {@link #checkWritable}. */
  private static final Pattern TEMPORARY =
      Pattern.compile("\\..+\\.%s\\.tmp|\\.rdm\\d+\\.tmp".formatted(UUID_DIGITS));

  private AtomicFile() {}

  /** Writes the content of the file. */
  @FunctionalInterface
  public interface Writer {
    /**
     * Writes the content, from position 0.
     *
     * @param out open for writing; closed by the caller
     */
    void write(FileChannel out) throws IOException;
  }

  /**
   * Writes {@code target} with {@code writer}. Parent folders are created.
   *
   * @throws FileException naming the target, if it cannot be written
   * @throws CancelledException if the thread is interrupted while writing, which closes the channel
   */
  public static void write(Path target, Writer writer) {
    try (UnfinishedFile file = UnfinishedFile.create(target)) {
      file.write(writer);
      file.finish();
    }
  }

  /**
   * Rejects a target that cannot be written, before hours of work. Parent folders are created.
   *
   * @throws FileException naming the target, or the file in place of its folder
   */
  public static void checkWritable(Path target) {
    Path parent = target.toAbsolutePath().getParent();
    if (parent == null || Files.isDirectory(target)) {
      throw new FileException(target, "is not a valid file name");
    }
    checkReplaceable(target);
    try {
      Files.createDirectories(parent);
      Files.delete(Files.createTempFile(parent, ".rdm", ".tmp"));
    } catch (FileAlreadyExistsException e) {
      throw new FileException(parent, "is a file, but must be a folder", e);
    } catch (IOException e) {
      throw new FileException(target, "cannot be written: " + reason(e), e);
    }
  }

  /** A file renamed over a device or a pipe would remove it for all other programs. */
  static void checkReplaceable(Path target) {
    String kind = InputFile.irregular(target);
    if (kind != null && !Files.isDirectory(target)) {
      throw new FileException(target, "is %s, which cannot be replaced by a file".formatted(kind));
    }
  }

  /**
   * Deletes the temporary files left in a folder by killed processes. Only for a folder in which
   * nobody else writes, since a file that is being written would be deleted as well.
   *
   * @throws FileException if the folder cannot be listed, or a temporary file cannot be deleted
   */
  public static void discardTemporaries(Path folder) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, ".*.tmp")) {
      for (Path file : files) {
        if (TEMPORARY.matcher(String.valueOf(file.getFileName())).matches()
            && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw undeletable(folder, new IOException(e));
    } catch (IOException e) {
      throw undeletable(folder, e);
    }
  }

  private static FileException undeletable(Path folder, IOException e) {
    return new FileException(folder, "cannot delete old temporary files: " + reason(e), e);
  }

  /**
   * Returns one line for an {@link IOException}, whose message is often only the name of the file.
   */
  public static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException _ -> "no such file or folder";
      case AccessDeniedException _ -> "permission denied";
      case FileSystemException f when f.getReason() != null -> f.getReason();
      case FileSystemException f -> f.getClass().getSimpleName() + " " + f.getFile();
      default -> String.valueOf(e.getMessage());
    };
  }

  /**
   * Deletes the temporary files of files and folders that are being written, in a process that is
   * about to end: their writers fail, and their targets are unchanged.
   */
  public static void abandonUnfinished() {
    UnfinishedFile.abandonAll();
    UnfinishedFolder.abandonAll();
  }
}
