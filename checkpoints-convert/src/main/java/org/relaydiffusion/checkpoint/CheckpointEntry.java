package org.relaydiffusion.checkpoint;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a checkpoint holds beside networks and tensors. */
public sealed interface CheckpointEntry {
  /**
   * A plain value.
   *
   * @param value a String, Long, BigInteger, Double, Boolean, null, an {@link InertValue}, or a
   *     list or map of these; what is none of them is described in angle brackets
   */
  record Plain(@Nullable Object value) implements CheckpointEntry {}

  /**
   * An object of the official code, such as a loss function.
   *
   * @param className e.g. {@code BlurLoss}
   * @param initKwargs the arguments it was made with, by name; positional ones as {@code 0}, {@code
   *     1}, ...
   */
  record ObjectEntry(String className, Map<String, @Nullable Object> initKwargs)
      implements CheckpointEntry {}

  /**
   * Something that is only counted here.
   *
   * @param what one line, e.g. {@code optimizer state of 65 parameters}
   */
  record Summary(String what) implements CheckpointEntry {}
}
