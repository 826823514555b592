// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.data.DataFingerprint;

/**
 * The record of the run that wrote a state.
 *
 * @param options as in {@link ResolvedOptions}
 * @param data the fingerprint of its data
 */
public record RecordedRun(Map<String, @Nullable Object> options, DataFingerprint data) {
  private static final String OPTIONS = "options";
  private static final String DATA = "data";

  /** Adds the record to the entries of a state. */
  void addTo(Map<String, @Nullable Object> plain) {
    plain.put(OPTIONS, options);
    Map<String, @Nullable Object> sums = new LinkedHashMap<>();
    sums.put("images", data.images());
    sums.put("names", data.names());
    sums.put("pictures", data.pictures());
    sums.put("labels", data.labels());
    plain.put(DATA, sums);
  }

  /** Reads what {@link #addTo} wrote; empty for states of earlier versions without a record. */
  static Optional<RecordedRun> of(Object entry) {
    if (entry instanceof Map<?, ?> plain
        && plain.get(OPTIONS) instanceof Map<?, ?> options
        && plain.get(DATA) instanceof Map<?, ?> data
        && data.get("images") instanceof Long images
        && data.get("names") instanceof String names
        && data.get("pictures") instanceof String pictures
        && data.get("labels") instanceof String labels) {
      Map<String, @Nullable Object> named = new LinkedHashMap<>();
      options.forEach((key, value) -> named.put(String.valueOf(key), value));
      return Optional.of(
          new RecordedRun(named, new DataFingerprint(images, names, pictures, labels)));
    }
    return Optional.empty();
  }
}
