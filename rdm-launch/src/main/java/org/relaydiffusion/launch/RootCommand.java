// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.checkpoints.ConvertCommand;
import org.relaydiffusion.launch.checkpoints.InspectCommand;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.Converters;
import org.relaydiffusion.launch.command.ExplainCommand;
import org.relaydiffusion.launch.command.GroupedOptionList;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.dataset.DatasetCommand;
import org.relaydiffusion.launch.doctor.DoctorCommand;
import org.relaydiffusion.launch.evaluation.EvaluateCommand;
import org.relaydiffusion.launch.evaluation.ExtractorFactory;
import org.relaydiffusion.launch.evaluation.InceptionFactory;
import org.relaydiffusion.launch.process.LaunchCommand;
import org.relaydiffusion.launch.process.WorkerCommand;
import org.relaydiffusion.launch.sampling.DemoCommand;
import org.relaydiffusion.launch.sampling.PackCommand;
import org.relaydiffusion.launch.sampling.SamplingCommand;
import org.relaydiffusion.launch.sampling.TuneStepsCommand;
import org.relaydiffusion.launch.training.TrainCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Spec;

/** {@code rdm} itself, the list of commands. */
@Command(
    name = "rdm",
    description = {
      "Relay Diffusion on the JVM: sampling, training and evaluation without Python.",
      "'_' and '-' are interchangeable in the names of commands and options."
    },
    footer = {
      "",
      "Exit codes: 0 success, 1 failure, 2 invalid usage, 75 another rank was lost, 130 or 143"
          + " stopped by"
          + " a signal.",
      "RDM_LIBTORCH=DIR uses the LibTorch in DIR instead of the bundled one.",
      "RDM_CACHE=DIR stores the unpacked LibTorch and downloads in DIR instead of ~/.cache/rdm."
    },
    commandListHeading = "%nCommands:%n")
final class RootCommand implements Runnable {
  private final Console console;

  @Spec private @Nullable CommandSpec spec;

  private RootCommand(Console console) {
    this.console = console;
  }

  /**
   * Creates the command line with all commands.
   *
   * @param console receives the output of the commands
   * @param stop requests an early end of a run
   * @param workers starts the ranks of {@code rdm launch}
   */
  static CommandLine commandLine(Console console, StopSignal stop, WorkerCommand workers) {
    return commandLine(console, stop, workers, new InceptionFactory());
  }

  /** Creates the command line with the given network for evaluation. */
  static CommandLine commandLine(
      Console console, StopSignal stop, WorkerCommand workers, ExtractorFactory extractors) {
    CommandLine root = new CommandLine(new RootCommand(console));
    SamplingCommand.commandLines(console, stop).forEach(root::addSubcommand);
    root.addSubcommand(TrainCommand.commandLine(console, stop));
    root.addSubcommand(PackCommand.commandLine(console, stop));
    root.addSubcommand(TuneStepsCommand.commandLine(console, stop));
    root.addSubcommand(new ConvertCommand(console));
    root.addSubcommand(new InspectCommand(console));
    root.addSubcommand(new DatasetCommand(console, stop));
    root.addSubcommand(EvaluateCommand.commandLine(console, stop, extractors));
    root.addSubcommand(new DoctorCommand(console));
    root.addSubcommand(new DemoCommand(console, stop));
    root.addSubcommand(LaunchCommand.commandLine(console, stop, workers));
    root.addSubcommand(new CompletionCommand(console));
    root.addSubcommand(new ExplainCommand(console));
    Converters.register(root);
    root.setOut(console.out());
    root.setErr(console.err());
    // As in the reference's parser, the last value of a repeated option is used.
    root.setOverwrittenOptionsAllowed(true);
    root.setUsageHelpWidth(100);
    root.setUsageHelpLongOptionsMaxWidth(34);
    standardise(root);
    return root;
  }

  /** Configures a command and its subcommands like all others. */
  private static void standardise(CommandLine line) {
    line.getSubcommands().values().forEach(RootCommand::standardise);
    CommandSpec spec = line.getCommandSpec();
    if (!(spec.userObject() instanceof ExplainCommand)) {
      spec.mixinStandardHelpOptions(true);
    }
    spec.versionProvider(new Version());
    UsageMessageSpec usage = spec.usageMessage();
    usage.sortOptions(false);
    usage.abbreviateSynopsis(true);
    line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, new GroupedOptionList());
  }

  /** Prints the help if no command is given. */
  @Override
  public void run() {
    Objects.requireNonNull(spec).commandLine().usage(console.out());
  }
}
