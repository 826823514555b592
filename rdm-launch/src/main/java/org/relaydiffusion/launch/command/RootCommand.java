package org.relaydiffusion.launch.command;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.Console;
import org.relaydiffusion.launch.StopSignal;
import org.relaydiffusion.launch.process.WorkerCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Spec;

/** {@code rdm} itself: the list of commands. */
@Command(
    name = "rdm",
    description = {
      "Relay Diffusion on the JVM: pictures from the official checkpoints, without Python.",
      "'_' and '-' are read alike in the names of commands and options."
    },
    footer = {
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 or 143 stopped by a signal.",
      "RDM_LIBTORCH=DIR uses the LibTorch in DIR instead of the bundled one."
    },
    commandListHeading = "%nCommands:%n")
public final class RootCommand implements Runnable {
  private final Console console;

  @Spec private @Nullable CommandSpec spec;

  private RootCommand(Console console) {
    this.console = console;
  }

  /**
   * The command line with all its commands.
   *
   * @param console what they talk to
   * @param stop ends a long run early
   */
  public static CommandLine commandLine(Console console, StopSignal stop) {
    return commandLine(console, stop, new InceptionFactory());
  }

  /** The same, with another network to evaluate with. */
  public static CommandLine commandLine(
      Console console, StopSignal stop, ExtractorFactory extractors) {
    CommandLine root = new CommandLine(new RootCommand(console));
    addSampling(root, new GenerateCommand(console, stop));
    addSampling(root, new GenerateCelebaHqCommand(console, stop));
    addSampling(root, new GenerateImageNetCommand(console, stop));
    root.addSubcommand(new TrainCommand(console, stop));
    root.addSubcommand(new ConvertCommand(console));
    root.addSubcommand(new InspectCommand(console));
    root.addSubcommand(new DatasetCommand(console, stop));
    root.addSubcommand(EvaluateCommand.commandLine(console, stop, extractors));
    root.addSubcommand(new DoctorCommand(console));
    root.addSubcommand(new DemoCommand(console, stop));
    root.addSubcommand(LaunchCommand.commandLine(console, stop, WorkerCommand.likeThisProcess()));
    root.addSubcommand(new CompletionCommand(console));
    root.addSubcommand(new ExplainCommand(console));
    Converters.register(root);
    root.setOut(console.out());
    root.setErr(console.err());
    // As with the reference's parser, the last one of an option given twice counts.
    root.setOverwrittenOptionsAllowed(true);
    root.setUsageHelpWidth(100);
    root.setUsageHelpLongOptionsMaxWidth(34);
    standardise(root);
    return root;
  }

  private static void addSampling(CommandLine root, SamplingCommand command) {
    CommandLine line = new CommandLine(command);
    line.setDefaultValueProvider(new PresetDefaults(command.preset()));
    root.addSubcommand(line);
  }

  /** Makes a command, and those below it, like all others. */
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

  /** Without a command: the help. */
  @Override
  public void run() {
    Objects.requireNonNull(spec).commandLine().usage(console.out());
  }
}
