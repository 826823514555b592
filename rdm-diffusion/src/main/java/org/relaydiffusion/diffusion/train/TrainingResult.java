// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The result of a run.
 *
 * @param images number of images trained on
 * @param end why it ended
 * @param state the last state that was written, in the first process
 * @param snapshot the last network snapshot that was written, in the first process
 * @param seconds its duration
 * @param loss mean per-pixel loss of the last tick
 */
public record TrainingResult(
    long images,
    End end,
    Optional<Path> state,
    Optional<Path> snapshot,
    double seconds,
    double loss) {
  /** Why a run ended. */
  public enum End {
    /** It has reached its duration. */
    FINISHED,
    /** It was asked to stop, and its state is saved. */
    STOPPED
  }
}
