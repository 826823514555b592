// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.nio.file.Path;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.train.TrainingData;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.launch.command.ThreadCounts;
import picocli.CommandLine.Option;

/**
 * The training data, and the location of the results; defaults come from {@link TrainingDefaults}.
 */
final class TrainingDataOptions implements Section {
  @Option(
      names = "--outdir",
      paramLabel = "DIR",
      required = true,
      description = "The parent of the run folder, DIR/00000-name-cond-adm-edm-gpus1-batch512.")
  Path outdir = Path.of("");

  @Option(
      names = "--data",
      paramLabel = "DIR|ZIP",
      required = true,
      description = "The training images, as written by 'rdm dataset'.")
  Path data = Path.of("");

  @Option(
      names = "--cond",
      paramLabel = "BOOL",
      arity = "1",
      description = "Train a class-conditional network. Default: ${DEFAULT-VALUE}.")
  boolean conditional;

  @Option(
      names = "--xflip",
      paramLabel = "BOOL",
      arity = "1",
      description = "Add a mirrored copy of each image. Default: ${DEFAULT-VALUE}.")
  boolean xflip;

  @Option(
      names = "--cache",
      paramLabel = "BOOL",
      arity = "1",
      description = "Keep decoded images in memory. Default: ${DEFAULT-VALUE}.")
  boolean cache;

  @Option(
      names = "--workers",
      paramLabel = "N",
      description =
          "Number of threads that decode images ahead of the step, 1 to 1024. Default:"
              + " ${DEFAULT-VALUE}.")
  int workers;

  @Option(
      names = "--desc",
      paramLabel = "TEXT",
      description = "Text appended to the name of the run folder. Default: none.",
      defaultValue = "")
  String description = "";

  @Option(
      names = "--nosubdir",
      description = "Write to --outdir itself, without a run folder. Default: off.")
  boolean noSubfolder;

  @Option(
      names = "--overwrite",
      description =
          "With --nosubdir: delete an existing run in --outdir, including its states. Default: off;"
              + " a folder with states is an error unless the run resumes.")
  boolean overwrite;

  @Override
  public String heading() {
    return "Data and results";
  }

  /**
   * Checks the combination of options.
   *
   * @throws OptionException naming the options that contradict each other
   */
  void check(boolean resumes) {
    if (overwrite && !noSubfolder) {
      throw new OptionException(
          "--overwrite requires --nosubdir: otherwise, each run has its own folder");
    }
    if (overwrite && resumes) {
      throw new OptionException("--overwrite and --resume are mutually exclusive");
    }
  }

  TrainingData data() {
    return TrainingData.of(data).toBuilder()
        .labels(conditional)
        .xflip(xflip)
        .cache(cache)
        .workers(ThreadCounts.workers(workers))
        .build();
  }
}
