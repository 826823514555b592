package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Content;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Leftovers;
import picocli.CommandLine.Option;

/** Which pictures' features are extracted, and where they go. */
final class ActivationsOptions implements Section {
  @Option(
      names = "--data",
      paramLabel = "DIR|ZIP|NPZ",
      required = true,
      description =
          "The pictures: a folder with the folders in it, as 'rdm generate' and 'rdm dataset' make"
              + " them, a zip, or an .npz with ADM's array 'arr_0'.")
  Path data = Path.of("");

  @Option(
      names = "--dest",
      paramLabel = "FILE.npz",
      required = true,
      description =
          "The file of features, which appears when all are there; until then they are kept in"
              + " parts in a hidden folder beside it.")
  Path target = Path.of("");

  @Option(
      names = "--moments",
      description =
          "Keep only mean and covariance: enough for FID and sFID, and 66 MB whatever the number of"
              + " pictures. Default: off.")
  boolean moments;

  @Option(
      names = "--max-images",
      paramLabel = "N",
      description =
          "Take N pictures drawn at random, at least 1, in the order of their names. Default: all.")
  @Nullable Integer maxImages;

  @Option(
      names = "--subset-seed",
      paramLabel = "N",
      description =
          "Seed of the draw of --max-images, 0 to 2147483647: the same pictures as EDM's data sets"
              + " draw with it. Default: 0.")
  @Nullable Integer subsetSeed;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "Pictures at once, at least 1: more take more memory. Default: ${DEFAULT-VALUE}.",
      defaultValue = "64")
  int batch = 64;

  @Option(
      names = "--fresh",
      description =
          "Discard the parts that an earlier run left. Default: go on from them, if they are of the"
              + " same pictures and the same network.")
  boolean fresh;

  @Override
  public String heading() {
    return "What to extract";
  }

  Content content() {
    return moments ? Content.MOMENTS : Content.ACTIVATIONS;
  }

  Leftovers leftovers() {
    return fresh ? Leftovers.DISCARD : Leftovers.USE;
  }

  /**
   * The seed of the draw.
   *
   * @throws OptionException when it is out of range, or nothing is drawn
   */
  long seed() {
    if (subsetSeed == null) {
      return 0;
    }
    if (maxImages == null) {
      throw new OptionException("--subset-seed needs --max-images, the number of pictures to draw");
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
