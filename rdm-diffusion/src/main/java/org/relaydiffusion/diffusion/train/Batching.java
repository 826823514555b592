// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.OptionalInt;
import org.relaydiffusion.OptionException;

/**
 * How the images of a step are divided.
 *
 * @param batch number of images of a step over all processes
 * @param perRound maximum number of images per round and process ({@code --batch-gpu}); empty for
 *     the complete share
 * @param activations whether the activations of a round are kept for its backward pass
 */
public record Batching(int batch, OptionalInt perRound, Activations activations) {
  /** The default of the reference's training script: 512 images in one round. */
  public static final Batching DEFAULT = new Batching(512, OptionalInt.empty(), Activations.KEPT);

  /** What a round's backward pass has of its forward pass. */
  public enum Activations {
    /** All that it needs. */
    KEPT,
    /**
     * The inputs of the network's blocks, each of which is computed again: less memory, more time,
     * the same gradients.
     */
    RECOMPUTED
  }

  /** Returns the number of images of one round of one process of {@code processes}. */
  public int round(int processes) {
    int share = share(processes);
    return Math.min(perRound.orElse(share), share);
  }

  /** Returns the number of rounds of a step, whose gradients are accumulated. */
  public int rounds(int processes) {
    return share(processes) / round(processes);
  }

  private int share(int processes) {
    return batch / processes;
  }

  /**
   * Checks that the batch divides evenly.
   *
   * @throws OptionException if it does not
   */
  public void check(int processes) {
    if (batch < 1) {
      throw new OptionException("--batch must be at least 1, but is " + batch);
    }
    if (batch % processes != 0) {
      throw new OptionException(
          "--batch=%s is not divisible by %s processes".formatted(batch, processes));
    }
    if (perRound.orElse(1) < 1 || share(processes) % round(processes) != 0) {
      throw new OptionException(
          "--batch-gpu=%s does not divide the %s images of each process"
              .formatted(perRound.orElse(1), share(processes)));
    }
  }
}
