package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** What stands on the page of a report, and where it goes. */
final class PageOptions implements Section {
  @Option(
      names = "--dest",
      paramLabel = "FILE.html",
      required = true,
      description = "The page to write; an old one is replaced.")
  Path target = Path.of("");

  @Option(
      names = "--title",
      paramLabel = "TEXT",
      description = "The page's title. Default: the name of the samples' file.")
  @Nullable String title;

  @Option(
      names = "--data_sample",
      paramLabel = "DIR|ZIP|NPZ",
      description =
          "The samples themselves, whose activations the file has: for the contact sheet and beside"
              + " their nearest neighbours. Default: no pictures of them.")
  @Nullable Path samples;

  @Option(
      names = "--data_ref",
      paramLabel = "DIR|ZIP|NPZ",
      description =
          "The reference set's pictures, to be shown beside the samples. Default: their numbers"
              + " only.")
  @Nullable Path reference;

  @Option(
      names = "--sampling-options",
      paramLabel = "FILE",
      description =
          "The options behind the samples, as 'rdm generate' writes them. Default:"
              + " sampling_options.json in --data_sample, where it is a folder and has it.")
  @Nullable Path options;

  @Option(
      names = "--sheet",
      paramLabel = "N",
      description =
          "Pictures on the contact sheet, 0 to 1024; the first ones. Default: ${DEFAULT-VALUE}.",
      defaultValue = "64")
  int sheet;

  @Option(
      names = "--rows",
      paramLabel = "N",
      description =
          "Samples that are shown with their nearest neighbours, 0 to 64, spread over all of them."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "8")
  int rows;

  @Option(
      names = "--nearest",
      paramLabel = "N",
      description = "Neighbours beside each, 1 to 15. Default: ${DEFAULT-VALUE}.",
      defaultValue = "6")
  int nearest;

  @Override
  public String heading() {
    return "The page";
  }

  /**
   * All of it, checked.
   *
   * @throws org.relaydiffusion.OptionException naming the number that is out of range
   */
  PageContent content() {
    return new PageContent(
        Optional.ofNullable(title),
        Optional.ofNullable(samples),
        Optional.ofNullable(reference),
        Optional.ofNullable(options),
        sheet,
        rows,
        nearest);
  }
}
