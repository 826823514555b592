// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Lets one of several processes that start at once unpack while the others wait. The operating
 * system releases the lock when its holder dies. Files are written atomically in any case, so if
 * locks are not supported, or the holder is stopped, each process unpacks for itself.
 */
final class CacheLock implements AutoCloseable {
  private static final long LONGEST_WAIT_SECONDS = 60;
  private static final long STEP_MILLIS = 50;

  private final @Nullable FileChannel channel;
  private final @Nullable FileLock lock;

  private CacheLock(@Nullable FileChannel channel, @Nullable FileLock lock) {
    this.channel = channel;
    this.lock = lock;
  }

  /** Waits for the lock of {@code folder}, with a timeout. */
  static CacheLock take(Path folder) throws IOException {
    Path file = folder.resolve(".lock");
    FileChannel channel = null;
    try {
      try {
        Files.createFile(file, Ownership.privateFile(file));
      } catch (FileAlreadyExistsException e) {
        // Left by the process that unpacked first.
      }
      channel = FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
      return new CacheLock(channel, wait(channel));
    } catch (IOException e) {
      if (channel != null) {
        channel.close();
      }
      return new CacheLock(null, null);
    }
  }

  private static @Nullable FileLock wait(FileChannel channel) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_WAIT_SECONDS);
    FileLock lock = channel.tryLock();
    while (lock == null && System.nanoTime() < end) {
      try {
        Thread.sleep(STEP_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return null;
      }
      lock = channel.tryLock();
    }
    return lock;
  }

  /** Returns whether this process is the only one that unpacks. */
  boolean isHeld() {
    return lock != null;
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
  }
}
