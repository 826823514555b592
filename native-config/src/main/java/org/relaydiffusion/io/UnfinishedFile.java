// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;

/**
 * A file that is written in parts, and appears under its name only when it is finished. Until then
 * it is a temporary file beside the target, which is flushed to disk and renamed by {@link
 * #finish}, and deleted by {@link #close} if it was not finished. {@link AtomicFile#write} is for
 * content that is written at once.
 *
 * <p>Not thread-safe.
 */
public final class UnfinishedFile implements AutoCloseable {
  /** The temporary files that this process is writing. */
  private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

  private final Path target;
  private final Path temporary;
  private final FileChannel out;
  private boolean isUsable = true;
  private boolean isRenamed;

  private UnfinishedFile(Path target, Path temporary, FileChannel out) {
    this.target = target;
    this.temporary = temporary;
    this.out = out;
  }

  /**
   * Creates the temporary file. Parent folders are created.
   *
   * @param target the name of the finished file; an existing file is replaced when it is finished
   * @return the file, which the caller closes
   * @throws FileException naming the target, if it cannot be written
   */
  public static UnfinishedFile create(Path target) {
    Path absolute = target.toAbsolutePath();
    Path folder = absolute.getParent();
    if (folder == null) {
      throw new FileException(target, "is not a valid file name");
    }
    AtomicFile.checkReplaceable(target);
    // Not createTempFile, whose files only their owner can access: the target must respect the
    // umask.
    Path temporary =
        folder.resolve(".%s.%s.tmp".formatted(absolute.getFileName(), UUID.randomUUID()));
    try {
      Files.createDirectories(folder);
      FileChannel out =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      OPEN.add(temporary);
      return new UnfinishedFile(target, temporary, out);
    } catch (IOException e) {
      throw unwritable(target, e);
    }
  }

  /**
   * Writes to the temporary file, from where the previous call ended. If this throws, the file
   * cannot be finished any more.
   *
   * @throws FileException naming the target, if it cannot be written
   * @throws CancelledException if the thread is interrupted while writing, which closes the channel
   */
  public void write(AtomicFile.Writer writer) {
    if (!isUsable) {
      throw new IllegalStateException(target + " is finished, closed, or could not be written");
    }
    isUsable = false;
    try {
      writer.write(out);
      isUsable = true;
    } catch (ClosedByInterruptException e) {
      throw CancelledException.interrupted("writing " + target, e);
    } catch (IOException e) {
      throw unwritable(target, e);
    }
  }

  /**
   * Flushes the file to disk and renames it to the target. Nothing can be written afterwards.
   *
   * @throws FileException naming the target, if it cannot be written; the target is then unchanged
   * @throws CancelledException if the thread is interrupted
   */
  public void finish() {
    write(channel -> {
      channel.force(true);
      channel.close();
      move(temporary, target.toAbsolutePath());
    });
    isRenamed = true;
    isUsable = false;
  }

  /** Deletes the temporary file, unless it was finished. Further calls have no effect. */
  @Override
  public void close() {
    isUsable = false;
    try {
      out.close();
    } catch (IOException e) {
      // An unfinished file is deleted, and a finished one was flushed and closed before.
    }
    if (!isRenamed) {
      discard(temporary);
    }
    OPEN.remove(temporary);
  }

  /** Deletes the temporary files of this process; their writers fail. */
  static void abandonAll() {
    OPEN.forEach(UnfinishedFile::discard);
  }

  private static FileException unwritable(Path target, IOException e) {
    return new FileException(target, "cannot be written: " + AtomicFile.reason(e), e);
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static void discard(Path temporary) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      // The original error is reported; the name of a remaining temporary file starts with a dot.
    }
  }
}
