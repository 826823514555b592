package org.relaydiffusion.metrics;

import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.nativeconfig.NativeThreads;

/**
 * How a long computation is carried out. None of it changes a result, not even in its last bits.
 *
 * @param threads how many threads of Java share the work, 1 or more
 * @param listener hears how far it is, on the calling thread
 * @param cancellation ends it early with a {@link org.relaydiffusion.CancelledException}
 */
public record WorkOptions(int threads, WorkListener listener, Cancellation cancellation) {
  /** Checks the number of threads. */
  public WorkOptions {
    NativeThreads.check(threads);
  }

  /** As many threads as LibTorch uses; nobody listens, and nobody cancels. */
  public static WorkOptions defaults() {
    return new WorkOptions(NativeThreads.threads(), WorkListener.NONE, new Cancellation());
  }

  /** The same with another number of threads. */
  public WorkOptions withThreads(int count) {
    return new WorkOptions(count, listener, cancellation);
  }

  /** The same with another listener. */
  public WorkOptions withListener(WorkListener other) {
    return new WorkOptions(threads, other, cancellation);
  }

  /** The same with another switch. */
  public WorkOptions withCancellation(Cancellation other) {
    return new WorkOptions(threads, listener, other);
  }
}
