package org.relaydiffusion.diffusion.train;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.data.DataFingerprint;

/**
 * What a state says of the run that wrote it.
 *
 * @param options as {@link ResolvedOptions} has them
 * @param data what it was trained on
 */
public record RecordedRun(Map<String, @Nullable Object> options, DataFingerprint data) {
  private static final String OPTIONS = "options";
  private static final String DATA = "data";

  /** Adds the record to a state's entries. */
  void addTo(Map<String, @Nullable Object> plain) {
    plain.put(OPTIONS, options);
    Map<String, @Nullable Object> sums = new LinkedHashMap<>();
    sums.put("images", data.images());
    sums.put("names", data.names());
    sums.put("pictures", data.pictures());
    sums.put("labels", data.labels());
    plain.put(DATA, sums);
  }

  /** Reads what {@link #addTo} wrote; empty for states of before there was such a record. */
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
