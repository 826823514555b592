package org.relaydiffusion.metrics;

/** Counts work that is done, and tells a listener. For one thread. */
final class ProgressMeter {
  private final WorkListener listener;
  private final long total;
  private long done;

  ProgressMeter(WorkListener listener, long total) {
    this.listener = listener;
    this.total = total;
  }

  /** What has been counted so far. */
  long done() {
    return done;
  }

  void advance(long units) {
    done += units;
    listener.advanced(done, total);
  }
}
