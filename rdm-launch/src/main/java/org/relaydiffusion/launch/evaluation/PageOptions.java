// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** The parts of a report, and its output file. */
final class PageOptions implements Section {
  @Option(
      names = "--dest",
      paramLabel = "FILE.html",
      required = true,
      description = "The HTML file to write; an existing report is replaced.")
  Path target = Path.of("");

  @Option(
      names = "--title",
      paramLabel = "TEXT",
      description = "The title of the page. Default: the name of the file of the samples.")
  @Nullable String title;

  @Option(
      names = "--data_sample",
      paramLabel = "DIR|ZIP|NPZ",
      description =
          "The images of the samples, for the contact sheet and beside"
              + " their nearest neighbours. Default: none.")
  @Nullable Path samples;

  @Option(
      names = "--data_ref",
      paramLabel = "DIR|ZIP|NPZ",
      description =
          "The images of the reference set, to be shown beside the samples. Default: only their"
              + " indices"
              + " are shown.")
  @Nullable Path reference;

  @Option(
      names = "--sampling-options",
      paramLabel = "FILE",
      description =
          "The options of the samples, as written by 'rdm generate'. Default:"
              + " sampling_options.json in --data_sample, if it is a folder that contains it.")
  @Nullable Path options;

  @Option(
      names = "--sheet",
      paramLabel = "N",
      description =
          "Number of images on the contact sheet, 0 to 1024; the first ones are used. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "64")
  int sheet;

  @Option(
      names = "--rows",
      paramLabel = "N",
      description =
          "Number of samples shown with their nearest neighbours, 0 to 64, at regular intervals."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "8")
  int rows;

  @Option(
      names = "--nearest",
      paramLabel = "N",
      description = "Number of neighbours shown for each, 1 to 15. Default: ${DEFAULT-VALUE}.",
      defaultValue = "6")
  int nearest;

  @Override
  public String heading() {
    return "The page";
  }

  /**
   * Returns the validated content.
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
