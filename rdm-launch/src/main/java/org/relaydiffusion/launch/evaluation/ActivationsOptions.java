package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Content;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Leftovers;
import picocli.CommandLine.Option;

/** Which pictures' features are extracted, and where they go. */
final class ActivationsOptions implements Section {
  @Option(
      names = "--data",
      paramLabel = "DIR|ZIP",
      required = true,
      description =
          "The pictures: a folder with the folders in it, as 'rdm generate' and 'rdm dataset' make"
              + " them, or a zip.")
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
          "Take the first N pictures in the order of their names, at least 1. Default: all.")
  @Nullable Integer maxImages;

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

  OptionalInt limit() {
    return maxImages == null ? OptionalInt.empty() : OptionalInt.of(maxImages);
  }
}
