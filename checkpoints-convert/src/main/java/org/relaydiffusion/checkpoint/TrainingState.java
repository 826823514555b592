// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;

/**
 * Everything needed to resume a training run, to be written by {@link TrainingStateFile}.
 *
 * @param ema the EMA of the weights
 * @param net the weights being trained
 * @param optimizer its moments; empty in a file for sampling only
 * @param step the number of images processed, as counted by the official code
 * @param extra further entries by key, which the official code ignores. Values are null, String,
 *     integers, Double, Boolean, tensors (a {@link
 *     org.relaydiffusion.model.safetensors.TensorSource}, or a {@link StoredTensor}), and lists and
 *     maps of these with string keys
 */
public record TrainingState(
    NetworkContents ema,
    NetworkContents net,
    Optional<OptimizerContents> optimizer,
    long step,
    Map<String, @Nullable Object> extra) {
  /** Copies the entries, keeping their order. */
  public TrainingState {
    extra = Collections.unmodifiableMap(new LinkedHashMap<>(extra));
  }

  /**
   * Returns the training state of an open file, which must stay open until this is written.
   *
   * @throws FileException if it lacks a network or the step
   */
  public static TrainingState of(Checkpoint checkpoint) {
    return new TrainingState(
        NetworkContents.of(checkpoint.network(Which.EMA)),
        NetworkContents.of(checkpoint.network(Which.NET)),
        checkpoint.optimizer().map(OptimizerContents::of),
        checkpoint.step(),
        new LinkedHashMap<>(checkpoint.extra()));
  }
}
