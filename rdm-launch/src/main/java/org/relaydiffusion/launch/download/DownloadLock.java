// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;

/**
 * Lets one of several processes or threads download a file while the others wait. The operating
 * system releases the lock when its holder dies.
 */
final class DownloadLock implements AutoCloseable {
  private static final String NAME = ".lock";
  private static final long STEP_MILLIS = 100;

  private final @Nullable FileChannel channel;

  private DownloadLock(@Nullable FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Waits for the lock, or until another process has created {@code target}.
   *
   * @param waiting called once before waiting
   * @throws CancelledException if the thread is interrupted while waiting
   */
  static DownloadLock take(Path target, Runnable waiting) {
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(
              target.resolveSibling(NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (tryLock(channel) == null) {
        waiting.run();
        do {
          Thread.sleep(STEP_MILLIS);
        } while (tryLock(channel) == null && !Files.isRegularFile(target));
      }
      return new DownloadLock(channel);
    } catch (InterruptedException | ClosedByInterruptException e) {
      close(channel);
      throw CancelledException.interrupted("waiting for a download", e);
    } catch (IOException e) {
      // The file system does not support locks.
      close(channel);
      return new DownloadLock(null);
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      // Another thread of this process holds it.
      return null;
    }
  }

  /** Returns whether this process has the exclusive right to download the file. */
  boolean isHeld() {
    return channel != null;
  }

  @Override
  public void close() {
    close(channel);
  }

  private static void close(@Nullable FileChannel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // The lock is released at the latest when the process ends.
      }
    }
  }
}
