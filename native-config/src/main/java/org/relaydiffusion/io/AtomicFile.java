package org.relaydiffusion.io;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;

/**
 * Writes a file whole or not at all: to a temporary name beside the target, flushed to the disk,
 * then renamed over it. A crash, a full disk or an exception leaves the old file, or none.
 */
public final class AtomicFile {
  private static final String UUID_DIGITS = "\\p{XDigit}{8}(?:-\\p{XDigit}{4}){3}-\\p{XDigit}{12}";

  /** The names of {@link #write}, and of {@link #checkWritable}. */
  private static final Pattern TEMPORARY =
      Pattern.compile("\\..+\\.%s\\.tmp|\\.rdm\\d+\\.tmp".formatted(UUID_DIGITS));

  /** The temporaries that this process is writing now. */
  private static final Set<Path> UNFINISHED = ConcurrentHashMap.newKeySet();

  private AtomicFile() {}

  /** What fills the file. */
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
   * Writes {@code target} through {@code writer}. Folders above it are made.
   *
   * @throws FileException naming the target, when it cannot be written
   * @throws CancelledException when the thread is interrupted meanwhile, which closes the channel
   */
  public static void write(Path target, Writer writer) {
    Path absolute = target.toAbsolutePath();
    Path folder = absolute.getParent();
    if (folder == null) {
      throw new FileException(target, "is not the name of a file");
    }
    checkReplaceable(target);
    // Not createTempFile, whose files are their owner's alone: the target keeps the user's umask.
    Path fresh = folder.resolve(".%s.%s.tmp".formatted(absolute.getFileName(), UUID.randomUUID()));
    Path temporary = null;
    try {
      Files.createDirectories(folder);
      try (FileChannel out =
          FileChannel.open(fresh, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        temporary = fresh;
        UNFINISHED.add(fresh);
        writer.write(out);
        out.force(true);
      }
      move(fresh, absolute);
      temporary = null;
    } catch (ClosedByInterruptException e) {
      throw CancelledException.interrupted("writing " + target, e);
    } catch (IOException e) {
      throw new FileException(target, "cannot be written: " + reason(e), e);
    } finally {
      discard(temporary);
      UNFINISHED.remove(fresh);
    }
  }

  /**
   * Refuses a target that cannot be written, before hours are spent on what goes there. Folders
   * above it are made.
   *
   * @throws FileException naming the target, or what is in the place of its folder
   */
  public static void checkWritable(Path target) {
    Path parent = target.toAbsolutePath().getParent();
    if (parent == null || Files.isDirectory(target)) {
      throw new FileException(target, "is no name for a file");
    }
    checkReplaceable(target);
    try {
      Files.createDirectories(parent);
      Files.delete(Files.createTempFile(parent, ".rdm", ".tmp"));
    } catch (FileAlreadyExistsException e) {
      throw new FileException(parent, "is a file, but a folder is needed", e);
    } catch (IOException e) {
      throw new FileException(target, "cannot be written: " + reason(e), e);
    }
  }

  /** A file renamed over a device or a pipe would take it away from every other program. */
  private static void checkReplaceable(Path target) {
    String kind = InputFile.irregular(target);
    if (kind != null && !Files.isDirectory(target)) {
      throw new FileException(target, "is %s, which a file cannot replace".formatted(kind));
    }
  }

  /**
   * Deletes the temporaries that killed processes left in a folder. Only for a folder in which
   * nobody else writes: a file that is being written now would be taken for one of them.
   *
   * @throws FileException when the folder cannot be listed, or a temporary not deleted
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
    return new FileException(folder, "leftover temporary files cannot be deleted: " + reason(e), e);
  }

  /** One line for an {@link IOException}, whose message is often nothing but the file's name. */
  public static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException _ -> "no such file or folder";
      case AccessDeniedException _ -> "permission denied";
      case FileSystemException f when f.getReason() != null -> f.getReason();
      case FileSystemException f -> f.getClass().getSimpleName() + " " + f.getFile();
      default -> String.valueOf(e.getMessage());
    };
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static void discard(@Nullable Path temporary) {
    if (temporary != null) {
      try {
        Files.deleteIfExists(temporary);
      } catch (IOException e) {
        // The error that brought us here is the one to report; a left-over name starts with a dot.
      }
    }
  }

  /**
   * Deletes the temporaries of files that are being written now. For a process that is about to end
   * in the middle of it: whoever writes them fails, and their targets stay as they are.
   */
  public static void abandonUnfinished() {
    UNFINISHED.forEach(AtomicFile::discard);
  }
}
