// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** LibTorch's own words about the calls that failed. */
public interface ErrorText {
  /**
   * The reason of the last call that failed on this thread: LibTorch's first line, without its C++
   * stack trace. Null where this build or {@link Settings} leave no way to know it. Ask right after
   * a call has returned an error code.
   */
  @Nullable String last();

  /** The first line with something in it, before the stack trace. */
  static Optional<String> reason(String text) {
    int trace = text.indexOf("\nException raised from ");
    return (trace < 0 ? text : text.substring(0, trace))
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .findFirst();
  }
}
