// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.relaydiffusion.FileException;

/**
 * A folder that appears under its name only when all of its files are written. Until then it is a
 * hidden folder beside the target, which is renamed by {@link #finish}, and deleted by {@link
 * #close} if it was not finished.
 *
 * <p>Not thread-safe.
 */
public final class UnfinishedFolder implements AutoCloseable {
  /** The folders that this process is writing. */
  private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

  private final Path target;
  private final Path path;
  private boolean finished;

  private UnfinishedFolder(Path target, Path path) {
    this.target = target;
    this.path = path;
  }

  /**
   * Creates the hidden folder. Parent folders are created.
   *
   * @param target the name of the finished folder
   * @return the folder, which the caller closes
   * @throws FileException naming the target, if the folder cannot be created
   */
  public static UnfinishedFolder create(Path target) {
    Path absolute = target.toAbsolutePath().normalize();
    Path parent = absolute.getParent();
    if (parent == null) {
      throw new FileException(target, "is not a valid folder name");
    }
    Path path = beside(absolute);
    try {
      Files.createDirectories(parent);
      Files.createDirectory(path);
    } catch (FileAlreadyExistsException e) {
      throw new FileException(parent, "is a file, but must be a folder", e);
    } catch (IOException e) {
      throw unwritable(target, e);
    }
    OPEN.add(path);
    return new UnfinishedFolder(absolute, path);
  }

  private static Path beside(Path absolute) {
    return absolute.resolveSibling(
        ".%s.%s.tmp".formatted(absolute.getFileName(), UUID.randomUUID()));
  }

  /** Returns the hidden folder, into which the files are written. */
  public Path path() {
    return path;
  }

  /**
   * Renames the folder to the target, which must not exist.
   *
   * @throws FileException naming the target, if it exists or cannot be written
   */
  public void finishNew() {
    if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileException(target, "exists already: it was created in the meantime");
    }
    finish();
  }

  /**
   * Renames the folder to the target. An existing target is deleted with its content; if the
   * process is killed between the two renames, it remains beside the target as a hidden folder.
   *
   * @throws FileException naming the target, if it cannot be replaced; it is then unchanged
   */
  public void finish() {
    if (finished) {
      throw new IllegalStateException(target + " is finished");
    }
    try {
      if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
        replace();
      } else {
        Files.move(path, target);
      }
    } catch (IOException e) {
      throw unwritable(target, e);
    }
    finished = true;
  }

  private void replace() throws IOException {
    Path old = beside(target);
    Files.move(target, old);
    try {
      Files.move(path, target);
    } catch (IOException e) {
      Files.move(old, target);
      throw e;
    }
    discard(old);
  }

  /** Deletes the hidden folder, unless it was finished. Further calls have no effect. */
  @Override
  public void close() {
    if (!finished) {
      discard(path);
    }
    OPEN.remove(path);
  }

  /** Deletes the hidden folders of this process; their writers fail. */
  static void abandonAll() {
    OPEN.forEach(UnfinishedFolder::discard);
  }

  private static void discard(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.toList().reversed()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException | UncheckedIOException e) {
      // The original error is reported; the name of a remaining folder starts with a dot.
    }
  }

  private static FileException unwritable(Path target, IOException e) {
    return new FileException(target, "cannot be written: " + AtomicFile.reason(e), e);
  }
}
