// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Content;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Leftovers;
import picocli.CommandLine.Option;

/** The images whose features are extracted, and the output file. */
final class ActivationsOptions implements Section {
  @Option(
      names = "--data",
      paramLabel = "DIR|ZIP|NPZ",
      required = true,
      description =
          "The images: a folder (including subfolders) as written by 'rdm generate' and 'rdm"
              + " dataset',"
              + " a zip, or an .npz with ADM's array 'arr_0'.")
  Path data = Path.of("");

  @Option(
      names = "--dest",
      paramLabel = "FILE.npz",
      required = true,
      description =
          "The file of features. It is created when all are complete; until then, they are kept as"
              + " parts in a hidden folder beside it.")
  Path target = Path.of("");

  @Option(
      names = "--moments",
      description =
          "Store only mean and covariance: sufficient for FID and sFID, and 66 MB for any number of"
              + " images. Default: off.")
  boolean moments;

  @Option(
      names = "--max-images",
      paramLabel = "N",
      description =
          "Use a random subset of N images, at least 1, in the order of their names. Default: all.")
  @Nullable Integer maxImages;

  @Option(
      names = "--subset-seed",
      paramLabel = "N",
      description =
          "Seed of the subset of --max-images, 0 to 2147483647; selects the same images as EDM's"
              + " data"
              + " sets. Default: 0.")
  @Nullable Integer subsetSeed;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "Batch size, at least 1; larger batches need more memory. Default: ${DEFAULT-VALUE}.",
      defaultValue = "64")
  int batch = 64;

  @Option(
      names = "--fresh",
      description =
          "Discard the parts of an earlier run. Default: resume from them if they are of the"
              + " same images and the same network.")
  boolean fresh;

  @Override
  public String heading() {
    return "Images and output";
  }

  Content content() {
    return moments ? Content.MOMENTS : Content.ACTIVATIONS;
  }

  Leftovers leftovers() {
    return fresh ? Leftovers.DISCARD : Leftovers.USE;
  }

  /**
   * Returns the seed of the random subset.
   *
   * @throws OptionException if it is out of range, or there is no subset
   */
  long seed() {
    if (subsetSeed == null) {
      return 0;
    }
    if (maxImages == null) {
      throw new OptionException("--subset-seed requires --max-images, the size of the subset");
    }
    if (subsetSeed < 0) {
      throw new OptionException("--subset-seed must be 0 to 2147483647, but is " + subsetSeed);
    }
    return subsetSeed;
  }

  OptionalInt limit() {
    return maxImages == null ? OptionalInt.empty() : OptionalInt.of(maxImages);
  }
}
