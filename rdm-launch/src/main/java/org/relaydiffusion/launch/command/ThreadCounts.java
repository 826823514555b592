package org.relaydiffusion.launch.command;

import java.util.OptionalInt;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.nativeconfig.NativeThreads;

/** Numbers of threads, checked before anything is started with them. */
public final class ThreadCounts {
  private ThreadCounts() {}

  /**
   * The value of {@code --threads}; empty for 0, which leaves the choice to others.
   *
   * @throws OptionException when it is out of range
   */
  public static OptionalInt orChosen(int threads) {
    check("--threads", threads, 0);
    return threads == 0 ? OptionalInt.empty() : OptionalInt.of(threads);
  }

  /**
   * The value of {@code --workers}.
   *
   * @throws OptionException when it is out of range
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
