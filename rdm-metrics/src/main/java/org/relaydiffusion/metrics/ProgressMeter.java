// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

/** Counts finished work, and notifies a listener. Not thread-safe. */
final class ProgressMeter {
  private final WorkListener listener;
  private final long total;
  private long done;

  ProgressMeter(WorkListener listener, long total) {
    this.listener = listener;
    this.total = total;
  }

  /** Returns the work counted so far. */
  long done() {
    return done;
  }

  void advance(long units) {
    done += units;
    listener.advanced(done, total);
  }
}
