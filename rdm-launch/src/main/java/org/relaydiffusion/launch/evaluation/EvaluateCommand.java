package org.relaydiffusion.launch.evaluation;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.Converters;
import org.relaydiffusion.launch.command.ExplainCommand;
import org.relaydiffusion.launch.command.StopSignal;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code rdm evaluate}: the group of commands that measure how good pictures are. */
@Command(
    name = "evaluate",
    description = "Measure how far generated pictures are from real ones.",
    commandListHeading = "%nCommands:%n")
public final class EvaluateCommand implements Runnable {
  private final Console console;

  @Spec private @Nullable CommandSpec spec;

  private EvaluateCommand(Console console) {
    this.console = console;
  }

  /**
   * The group with its commands, ready to be a subcommand.
   *
   * @param console what they talk to
   * @param stop ends a long run early
   * @param extractors where they get the network from
   */
  public static CommandLine commandLine(
      Console console, StopSignal stop, ExtractorFactory extractors) {
    CommandLine line = new CommandLine(new EvaluateCommand(console));
    line.addSubcommand(new ActivationsCommand(console, stop, extractors));
    line.addSubcommand(new CalcCommand(console, stop, extractors));
    line.addSubcommand(new ReportCommand(console, stop, extractors));
    line.addSubcommand(new ExplainCommand(console));
    Converters.registerNames(line, Metric.class);
    Converters.registerNames(line, MetricSelection.Bias.class);
    Converters.registerNames(line, MetricSelection.Order.class);
    return line;
  }

  /** Without a command: the help. */
  @Override
  public void run() {
    Objects.requireNonNull(spec).commandLine().usage(console.out());
  }
}
