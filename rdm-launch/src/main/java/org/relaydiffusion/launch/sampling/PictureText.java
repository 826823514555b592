// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.Sample;
import org.relaydiffusion.diffusion.image.PngText;
import org.relaydiffusion.launch.command.BuildVersion;
import org.relaydiffusion.launch.command.Json;

/**
 * The text in an image file that tells its origin: the entry {@code Software}, and the entry {@code
 * rdm}, one JSON object with the seed, the class, the options that determine the image, and the
 * names and checksums of the networks. {@link PictureOrigin} reads it.
 */
final class PictureText {
  static final String SOFTWARE = "Software";

  /** The keyword of the entry. */
  static final String KEYWORD = "rdm";

  static final int VERSION = 1;

  /** Of the whole run, or of this machine. */
  private static final Set<String> OF_THE_RUN =
      Set.of("outdir", "indir", "seeds", "batch", "class", "world_size");

  private final Map<String, @Nullable Object> options = new LinkedHashMap<>();
  private final SamplingJob job;

  /**
   * Creates the texts of a run.
   *
   * @param record of the run, with the checksums of its networks
   */
  PictureText(SamplingJob job, SamplingRecord record) {
    this.job = job;
    Map<String, String> sums = record.sums();
    record
        .options()
        .forEach((name, value) -> {
          if (!OF_THE_RUN.contains(name) && value != null) {
            options.put(name, value);
          }
        });
    job.networks()
        .forEach((option, file) -> {
          if (sums.containsKey(option)) {
            options.put(option, file.name());
          } else {
            options.remove(option);
          }
        });
  }

  /** Returns the text of an image; none if it was not requested. */
  PngText of(Sample sample, BatchPlace place) {
    Map<String, @Nullable Object> own = new LinkedHashMap<>();
    own.put("seed", sample.seed());
    sample.label().ifPresent(label -> own.put("class", label));
    own.put("batch", place.size());
    own.put("batch_index", place.index());
    return text(own);
  }

  /** Returns the text of a contact sheet. */
  PngText ofSheet() {
    Map<String, @Nullable Object> own = new LinkedHashMap<>();
    own.put("seeds", job.seedsText());
    if (!job.classes().isAll()) {
      own.put("class", job.classes().toString());
    }
    return text(own);
  }

  private PngText text(Map<String, @Nullable Object> own) {
    if (job.target().metadata() == SamplingJob.Metadata.OMIT) {
      return PngText.NONE;
    }
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("version", VERSION);
    json.putAll(own);
    json.putAll(options);
    SequencedMap<String, String> texts = new LinkedHashMap<>();
    texts.put(SOFTWARE, BuildVersion.text());
    texts.put(KEYWORD, Json.line(json));
    return PngText.of(texts);
  }
}
