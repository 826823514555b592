// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A network for sampling, with information about its training, to be written by {@link
 * NetworkSnapshotFile}.
 *
 * @param ema the EMA of the weights
 * @param loss the training loss
 * @param augment the augmentation
 * @param datasetKwargs the arguments of the data set, as plain values
 */
public record NetworkSnapshot(
    NetworkContents ema,
    Optional<ObjectContents> loss,
    Optional<ObjectContents> augment,
    Map<String, @Nullable Object> datasetKwargs) {
  /** Copies the arguments, keeping their order. */
  public NetworkSnapshot {
    datasetKwargs = Collections.unmodifiableMap(new LinkedHashMap<>(datasetKwargs));
  }
}
