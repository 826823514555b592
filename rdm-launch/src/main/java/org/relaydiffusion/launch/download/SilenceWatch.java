// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** Closes a stream that has delivered no data before a timeout, which unblocks its reader. */
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

  /** Called when data has arrived. */
  void heard() {
    last = System.nanoTime();
  }

  /** Returns whether the stream was closed by the timeout. */
  boolean isBroken() {
    return broken;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
