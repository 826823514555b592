package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a run ended.
 *
 * @param images trained on in all
 * @param end why it ended
 * @param state the last state that was written, in the first process
 * @param snapshot the last snapshot of the network that was written, in the first process
 * @param seconds it took
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
    /** It has seen all its images. */
    FINISHED,
    /** It was asked to, and its state is saved. */
    STOPPED
  }
}
