// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An entry of a checkpoint besides networks and tensors. */
public sealed interface CheckpointEntry {
  /**
   * A plain value.
   *
   * @param value a String, Long, BigInteger, Double, Boolean, null, an {@link InertValue}, or a
   *     list or map of these; any other value is described in angle brackets
   */
  record Plain(@Nullable Object value) implements CheckpointEntry {}

  /**
   * An object of the official code, such as a loss function.
   *
   * @param className such as {@code BlurLoss}
   * @param initKwargs its constructor arguments, by name; positional ones as {@code 0}, {@code 1},
   *     ...
   */
  record ObjectEntry(String className, Map<String, @Nullable Object> initKwargs)
      implements CheckpointEntry {}

  /**
   * An entry that is only summarized.
   *
   * @param what one line, such as {@code optimizer state of 65 parameters}
   */
  record Summary(String what) implements CheckpointEntry {}
}
