// SPDX-License-Identifier: Apache-2.0
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

/** {@code rdm evaluate}: the group of commands for evaluating generated images. */
@Command(
    name = "evaluate",
    description = "Compare generated images with real ones.",
    commandListHeading = "%nCommands:%n")
public final class EvaluateCommand implements Runnable {
  private final Console console;

  @Spec private @Nullable CommandSpec spec;

  private EvaluateCommand(Console console) {
    this.console = console;
  }

  /**
   * Creates the group with its commands, to be used as a subcommand.
   *
   * @param console receives the output of the commands
   * @param stop requests an early end of a run
   * @param extractors provides the network
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

  /** Prints the help if no command is given. */
  @Override
  public void run() {
    Objects.requireNonNull(spec).commandLine().usage(console.out());
  }
}
