package org.relaydiffusion.launch.training;

import java.nio.file.Path;
import java.util.OptionalInt;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.launch.command.ThreadCounts;
import picocli.CommandLine.Option;

/** What is trained on, and where the results go. */
final class TrainingDataOptions implements Section {
  @Option(
      names = "--outdir",
      paramLabel = "DIR",
      required = true,
      description =
          "Where the run's own folder goes, as DIR/00000-name-cond-adm-edm-gpus1-batch512.")
  Path outdir = Path.of("");

  @Option(
      names = "--data",
      paramLabel = "DIR|ZIP",
      required = true,
      description = "The training images, as 'rdm dataset' makes them.")
  Path data = Path.of("");

  @Option(
      names = "--cond",
      paramLabel = "BOOL",
      arity = "1",
      description = "Train a class-conditional network. Default: ${DEFAULT-VALUE}.",
      defaultValue = "false")
  boolean conditional;

  @Option(
      names = "--xflip",
      paramLabel = "BOOL",
      arity = "1",
      description = "Have each image a second time, mirrored. Default: ${DEFAULT-VALUE}.",
      defaultValue = "false")
  boolean xflip;

  @Option(
      names = "--cache",
      paramLabel = "BOOL",
      arity = "1",
      description = "Keep decoded images in memory. Default: ${DEFAULT-VALUE}.",
      defaultValue = "true")
  boolean cache;

  @Option(
      names = "--workers",
      paramLabel = "N",
      description =
          "Threads that decode images ahead of the step, 1 to 1024. Default: ${DEFAULT-VALUE}.",
      defaultValue = "1")
  int workers;

  @Option(
      names = "--desc",
      paramLabel = "TEXT",
      description = "What to add to the run folder's name. Default: nothing.",
      defaultValue = "")
  String description = "";

  @Option(
      names = "--nosubdir",
      description = "Write into --outdir itself, without a folder for the run. Default: off.")
  boolean noSubfolder;

  @Option(
      names = "--overwrite",
      description =
          "With --nosubdir: delete the run that is in --outdir, its states included. Default: off,"
              + " and a folder with states is refused unless the run resumes.")
  boolean overwrite;

  @Override
  public String heading() {
    return "Data and results";
  }

  /**
   * Checks what belongs together.
   *
   * @throws OptionException naming the options that do not
   */
  void check(boolean resumes) {
    if (overwrite && !noSubfolder) {
      throw new OptionException("--overwrite needs --nosubdir: other runs have a folder each");
    }
    if (overwrite && resumes) {
      throw new OptionException("--overwrite and --resume are mutually exclusive");
    }
  }

  TrainingOptions.Data data() {
    return new TrainingOptions.Data(
        data, conditional, xflip, OptionalInt.empty(), cache, ThreadCounts.workers(workers));
  }
}
