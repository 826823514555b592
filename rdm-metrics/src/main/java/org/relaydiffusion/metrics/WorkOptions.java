// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.nativeconfig.NativeThreads;

/**
 * How a long computation is carried out. The options do not affect the result, not even in its last
 * bits.
 *
 * @param threads number of Java threads, at least 1
 * @param listener receives the progress, on the calling thread
 * @param cancellation ends the computation early with a {@link
 *     org.relaydiffusion.CancelledException}
 */
public record WorkOptions(int threads, WorkListener listener, Cancellation cancellation) {
  /**
   * Checks the number of threads.
   *
   * @throws org.relaydiffusion.OptionException if it is out of range
   */
  public WorkOptions {
    NativeThreads.check(threads);
  }

  /** Returns options with LibTorch's number of threads, and without listener or cancellation. */
  public static WorkOptions defaults() {
    return new WorkOptions(NativeThreads.threads(), WorkListener.NONE, new Cancellation());
  }

  /** Returns these options with another number of threads. */
  public WorkOptions withThreads(int count) {
    return new WorkOptions(count, listener, cancellation);
  }

  /** Returns these options with another listener. */
  public WorkOptions withListener(WorkListener other) {
    return new WorkOptions(threads, other, cancellation);
  }

  /** Returns these options with another cancellation. */
  public WorkOptions withCancellation(Cancellation other) {
    return new WorkOptions(threads, listener, other);
  }
}
