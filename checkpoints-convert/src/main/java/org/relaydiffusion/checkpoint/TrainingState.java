package org.relaydiffusion.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;

/**
 * Everything that a training run goes on from, to be written by {@link TrainingStateFile}.
 *
 * @param ema the moving average of the weights
 * @param net the weights in training
 * @param optimizer its moments; empty in a file that is only for sampling
 * @param step the number of images seen, as the official code counts
 * @param extra further entries by key, which the official code passes over. Values are null,
 *     String, whole numbers, Double, Boolean, tensors (a {@link
 *     org.relaydiffusion.model.safetensors.TensorSource}, or a {@link StoredTensor}), and lists and
 *     maps of these under text
 */
public record TrainingState(
    NetworkContents ema,
    NetworkContents net,
    Optional<OptimizerContents> optimizer,
    long step,
    Map<String, @Nullable Object> extra) {
  /** Keeps the order. */
  public TrainingState {
    extra = Collections.unmodifiableMap(new LinkedHashMap<>(extra));
  }

  /**
   * A training state as an open file has it. The file must stay open until this is written.
   *
   * @throws FileException when it lacks a network or the step
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
