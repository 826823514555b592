// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.AtomicFile;

/**
 * The folder of one training run, and the names of its files. The object represents exclusive
 * ownership of the folder: no other process, and no other object in this process, can obtain it
 * until {@link #close()} or the end of the process.
 */
public final class RunDirectory implements AutoCloseable {
  private static final int ATTEMPTS = 1000;

  private final Path path;
  private final RunLock lock;

  private RunDirectory(Path path, RunLock lock) {
    this.path = path;
    this.lock = lock;
    // The folder has no other owner now, so files left unfinished by a killed process can be
    // deleted.
    AtomicFile.discardTemporaries(path);
  }

  /**
   * Takes ownership of {@code folder} itself, which is created if it does not exist.
   *
   * @throws FolderInUseException naming the owner
   * @throws FileException if it cannot be created or written
   */
  public static RunDirectory of(Path folder) {
    return of(folder, Duration.ZERO);
  }

  /**
   * Takes ownership as {@link #of(Path)}, for a restarted run.
   *
   * @param patience how long to wait for a killed process, whose lock may outlive it for some time
   *     on a network file system
   */
  public static RunDirectory of(Path folder, Duration patience) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw unwritable(folder, e);
    }
    return owned(folder, patience);
  }

  /**
   * Creates a new folder {@code outdir/00003-name}, with the number after the highest existing one.
   * If several processes do so concurrently, each gets its own number.
   *
   * @throws FileException if it cannot be created or written
   */
  public static RunDirectory numbered(Path outdir, String name) {
    try {
      Files.createDirectories(outdir);
      for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int number = RunFolders.highestNumber(outdir) + 1;
        Path folder = outdir.resolve(String.format(Locale.ROOT, "%05d-%s", number, name));
        try {
          Files.createDirectory(folder);
        } catch (FileAlreadyExistsException e) {
          continue;
        }
        // Another name with the same number: a process that sees both gives way, perhaps both do.
        if (RunFolders.count(outdir, number) == 1) {
          return owned(folder, Duration.ZERO);
        }
        Files.delete(folder);
        Thread.sleep(ThreadLocalRandom.current().nextInt(50));
      }
    } catch (InterruptedException e) {
      throw CancelledException.interrupted("creating the run folder", e);
    } catch (IOException e) {
      throw unwritable(outdir, e);
    }
    throw new FileException(
        outdir, "has no free number for a run: too many are starting concurrently");
  }

  private static RunDirectory owned(Path path, Duration patience) {
    if (!Files.isWritable(path)) {
      throw new FileException(path, "is a folder without write permission");
    }
    RunLock lock = RunLock.take(path, patience);
    try {
      return new RunDirectory(path, lock);
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /**
   * Rejects a folder that is owned by another process, without modifying it.
   *
   * @throws FolderInUseException naming the owner
   */
  public static void requireFree(Path folder) {
    RunLock.check(folder);
  }

  /** Records the identity of the run, by which it finds its folder after a restart. */
  public void mark(RunIdentity identity) {
    identity.mark(path);
  }

  /**
   * Deletes the files that an earlier run wrote here ({@code --overwrite}), including its identity.
   *
   * @throws FileException if a file cannot be deleted
   */
  public void clear() {
    RunIdentity.unmark(path);
    StateFiles.deleteRun(path);
  }

  /** Returns a warning about the ownership if the file system does not support locks. */
  public Optional<String> doubt() {
    return lock.doubt();
  }

  /** Returns the folder. */
  public Path path() {
    return path;
  }

  /** Returns the path of a file in it. */
  public Path file(String name) {
    return path.resolve(name);
  }

  /** Returns the path of the training state at a number of images, named by whole thousands. */
  public Path state(long images) {
    return path.resolve(String.format(Locale.ROOT, "training-state-%06d.pt", images / 1000));
  }

  /** Returns the path of the network snapshot at a number of images, named by whole thousands. */
  public Path snapshot(long images, String extension) {
    return path.resolve(snapshotName(images, extension));
  }

  /** Returns the file name of a network snapshot. */
  public static String snapshotName(long images, String extension) {
    return String.format(Locale.ROOT, "network-snapshot-%06d.%s", images / 1000, extension);
  }

  /**
   * Appends a line to the log of the run.
   *
   * @throws FileException if it cannot be written
   */
  public void log(String line) {
    Path log = file("log.txt");
    try {
      Files.writeString(
          log, Printable.line(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new FileException(log, "cannot be written: " + AtomicFile.reason(e), e);
    }
  }

  /** Releases the folder. */
  @Override
  public void close() {
    lock.close();
  }

  private static FileException unwritable(Path path, IOException e) {
    return new FileException(path, "cannot be created or written: " + AtomicFile.reason(e), e);
  }
}
