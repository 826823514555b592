package org.relaydiffusion.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A network to sample from, with what it was trained by, to be written by {@link
 * NetworkSnapshotFile}.
 *
 * @param ema the moving average of the weights
 * @param loss the loss that it was trained with
 * @param augment the augmentation that it was trained with
 * @param datasetKwargs the arguments of the data set, as plain values
 */
public record NetworkSnapshot(
    NetworkContents ema,
    Optional<ObjectContents> loss,
    Optional<ObjectContents> augment,
    Map<String, @Nullable Object> datasetKwargs) {
  /** Keeps the order. */
  public NetworkSnapshot {
    datasetKwargs = Collections.unmodifiableMap(new LinkedHashMap<>(datasetKwargs));
  }
}
