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
 * The folder of one training run, and the names of the files in it. Whoever has the object owns the
 * folder: no other process, and nobody else in this one, gets it until {@link #close()} or the end
 * of the process.
 */
public final class RunDirectory implements AutoCloseable {
  private static final int ATTEMPTS = 1000;

  private final Path path;
  private final RunLock lock;

  private RunDirectory(Path path, RunLock lock) {
    this.path = path;
    this.lock = lock;
    // Nobody else writes here now: what a process that was killed had not finished is of no use.
    AtomicFile.discardTemporaries(path);
  }

  /**
   * {@code folder} itself, made if it is not there.
   *
   * @throws FolderInUseException naming who has it
   * @throws FileException when it cannot be made or written
   */
  public static RunDirectory of(Path folder) {
    return of(folder, Duration.ZERO);
  }

  /**
   * As {@link #of(Path)}, for a run that is started again.
   *
   * @param patience how long to wait for a process that was killed: on a network file system its
   *     lock may outlive it for some time
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
   * A new folder {@code outdir/00003-name}, with the number after the highest that is there. Of
   * several processes that ask at once, each gets a number of its own.
   *
   * @throws FileException when it cannot be made or written
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
        // Another name with the same number: whoever sees both gives way, perhaps both.
        if (RunFolders.count(outdir, number) == 1) {
          return owned(folder, Duration.ZERO);
        }
        Files.delete(folder);
        Thread.sleep(ThreadLocalRandom.current().nextInt(50));
      }
    } catch (InterruptedException e) {
      throw CancelledException.interrupted("making the run's folder", e);
    } catch (IOException e) {
      throw unwritable(outdir, e);
    }
    throw new FileException(outdir, "has no free number for a run: too many begin at once");
  }

  private static RunDirectory owned(Path path, Duration patience) {
    if (!Files.isWritable(path)) {
      throw new FileException(path, "is a folder that may not be written to");
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
   * Refuses a folder that another process has, without touching it.
   *
   * @throws FolderInUseException naming who has it
   */
  public static void requireFree(Path folder) {
    RunLock.check(folder);
  }

  /** Notes which run this is, so that it finds its folder when it is started again. */
  public void mark(RunIdentity identity) {
    identity.mark(path);
  }

  /**
   * Deletes what an earlier run wrote here ({@code --overwrite}), and that it was that run's.
   *
   * @throws FileException when a file cannot be deleted
   */
  public void clear() {
    RunIdentity.unmark(path);
    StateFiles.deleteRun(path);
  }

  /** What there is to know about the ownership: that the file system has no locks. */
  public Optional<String> doubt() {
    return lock.doubt();
  }

  /** The folder. */
  public Path path() {
    return path;
  }

  /** A file in it. */
  public Path file(String name) {
    return path.resolve(name);
  }

  /** The training state at a number of images, named by whole thousands. */
  public Path state(long images) {
    return path.resolve(String.format(Locale.ROOT, "training-state-%06d.pt", images / 1000));
  }

  /** The network's snapshot at a number of images, named by whole thousands. */
  public Path snapshot(long images, String extension) {
    return path.resolve(snapshotName(images, extension));
  }

  /** The name of a network's snapshot. */
  public static String snapshotName(long images, String extension) {
    return String.format(Locale.ROOT, "network-snapshot-%06d.%s", images / 1000, extension);
  }

  /**
   * Appends a line to the run's log.
   *
   * @throws FileException when it cannot be written
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

  /** Gives the folder back. */
  @Override
  public void close() {
    lock.close();
  }

  private static FileException unwritable(Path path, IOException e) {
    return new FileException(path, "cannot be made or written: " + AtomicFile.reason(e), e);
  }
}
