package org.relaydiffusion.launch.download;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/**
 * Closes a stream from which nothing has come for too long, so that its reader need not wait on.
 */
final class SilenceWatch implements AutoCloseable {
  private final long longestNanos;
  private final Thread thread;
  private volatile long last = System.nanoTime();
  private volatile boolean broken;

  SilenceWatch(Duration longest, InputStream stream) {
    this.longestNanos = longest.toNanos();
    this.thread = Thread.ofVirtual().name("rdm-download-watch").start(() -> watch(stream));
  }

  private void watch(InputStream stream) {
    try {
      long left = longestNanos;
      while (left > 0) {
        Thread.sleep(Duration.ofNanos(left));
        left = longestNanos - (System.nanoTime() - last);
      }
      broken = true;
      stream.close();
    } catch (InterruptedException | IOException e) {
      // The transfer has ended.
    }
  }

  /** Something has come. */
  void heard() {
    last = System.nanoTime();
  }

  /** Whether the stream was closed because nothing came. */
  boolean isBroken() {
    return broken;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
