// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.util.OptionalInt;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.nativeconfig.NativeThreads;

/** Validates numbers of threads before any are started. */
public final class ThreadCounts {
  private ThreadCounts() {}

  /**
   * Returns the value of {@code --threads}; empty for 0, which leaves the choice to LibTorch.
   *
   * @throws OptionException if it is out of range
   */
  public static OptionalInt orChosen(int threads) {
    check("--threads", threads, 0);
    return threads == 0 ? OptionalInt.empty() : OptionalInt.of(threads);
  }

  /**
   * Returns the value of {@code --workers}.
   *
   * @throws OptionException if it is out of range
   */
  public static int workers(int workers) {
    check("--workers", workers, 1);
    return workers;
  }

  private static void check(String option, int count, int least) {
    if (count < least || count > NativeThreads.MOST) {
      throw new OptionException(
          "%s must be %s to %s, but is %s".formatted(option, least, NativeThreads.MOST, count));
    }
  }
}
