// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import org.jspecify.annotations.Nullable;

/** Records what some work computes on a device, to do it again. */
interface Recorder {
  /** Where this thread computes: what is recorded on one stream is only replayed there. */
  Object place();

  /**
   * Records what the work computes, without doing it.
   *
   * @param sharing one of the same place, with whose memory this one can do; null for its own
   * @param work reads what this thread has computed so far; this thread has done the like before
   * @throws RuntimeException when it cannot be recorded, or the work fails
   */
  Recording record(@Nullable Recording sharing, Runnable work);

  /** What was recorded. */
  interface Recording extends AutoCloseable {
    /** Does it again, with what its operands hold now. */
    void replay();

    @Override
    void close();
  }
}
