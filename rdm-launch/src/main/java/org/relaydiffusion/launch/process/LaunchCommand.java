// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.nativeconfig.NativeExit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code rdm launch}: runs any other command as several processes. */
@Command(
    name = "launch",
    description = {
      "Run any rdm command as several processes, on one node or on several, as torchrun does.",
      "Example: rdm launch --standalone --nproc_per_node=2 generate --outdir=out ...",
      "All arguments after the name of the command are passed to the command.",
      "When a rank fails, the others are stopped within 10 s. When this process is stopped, the"
          + " ranks finish their step and save."
    })
public final class LaunchCommand implements Callable<Integer> {
  private static final Set<String> HELP = Set.of("-h", "--help", "-V", "--version");

  /** Options with which a command prints one JSON object, and nothing else, on standard output. */
  private static final Set<String> DOCUMENT = Set.of("--json", "--dry-run");

  private final Console console;
  private final StopSignal stop;
  private final WorkerCommand worker;

  @Spec private @Nullable CommandSpec spec;

  @Mixin private final NodeOptions nodes = new NodeOptions();
  @Mixin private final SupervisionOptions supervision = new SupervisionOptions();

  @Parameters(
      paramLabel = "COMMAND",
      arity = "0..*",
      description = "The rdm command that every rank runs, with its options.")
  private List<String> command = new ArrayList<>();

  private LaunchCommand(Console console, StopSignal stop, WorkerCommand worker) {
    this.console = console;
    this.stop = stop;
    this.worker = worker;
  }

  /**
   * Creates the command, to be used as a subcommand.
   *
   * @param console receives the output; ranks inherit its variables
   * @param stop requests an orderly end of the run
   * @param worker the command line of a rank
   */
  public static CommandLine commandLine(Console console, StopSignal stop, WorkerCommand worker) {
    CommandLine line = new CommandLine(new LaunchCommand(console, stop, worker));
    line.setStopAtPositional(true);
    return line;
  }

  @Override
  public Integer call() {
    supervision.check();
    CommandLine known = knownCommand();
    if (command.stream().anyMatch(HELP::contains)) {
      return known.execute(command.subList(1, command.size()).toArray(String[]::new));
    }
    Nodes spread = nodes.nodes();
    LaunchPlan plan =
        new LaunchPlan(
            spread,
            nodes.master(spread),
            nodes.runId(),
            supervision.maxRestarts,
            supervision.patience(),
            supervision.output(results(known)),
            command);
    Supervisor supervisor = new Supervisor(plan, worker, console);
    stop.onRequest(() -> supervisor.stop("asked to stop", ExitCode.INTERRUPTED));
    try (StopSignals _ =
        StopSignals.take(
            signal -> supervisor.stop(signal.name(), signal.exitCode()),
            signal -> supervisor.kill(signal.name()))) {
      return run(supervisor);
    }
  }

  /** Runs to the end, and ends this process if its output is blocked. */
  static int run(Supervisor supervisor) {
    int code = ExitCode.FAILURE;
    try {
      code = supervisor.run();
      return code;
    } finally {
      if (!supervisor.wroteAll()) {
        // The ranks have ended, but the reader of this process's output is not reading. Flushing
        // the streams, as a normal exit does, would block indefinitely.
        NativeExit.withoutFlushing(code == ExitCode.OK ? ExitCode.FAILURE : code);
      }
    }
  }

  /**
   * Returns what the command prints on standard output: one document for another program, or lines.
   */
  private OutputPlan.Results results(CommandLine known) {
    CommandLine at = known;
    for (String argument : command.subList(1, command.size())) {
      at = at.getSubcommands().getOrDefault(argument, at);
      String[] option = argument.split("=", 2);
      OptionSpec spec = at.getCommandSpec().findOption(option[0].replace('_', '-'));
      if (spec != null
          && DOCUMENT.contains(spec.longestName())
          && !(option.length == 2 && option[1].equals("false"))) {
        return OutputPlan.Results.OF_RANK_0;
      }
    }
    return OutputPlan.Results.OF_ALL_RANKS;
  }

  /** Returns the command to be launched; its help is printed without starting ranks. */
  private CommandLine knownCommand() {
    if (command.isEmpty()) {
      throw new OptionException(
          "no command to launch: give one after the options, as in 'rdm launch generate ...'");
    }
    String name = command.getFirst();
    CommandLine self = Objects.requireNonNull(spec).commandLine();
    CommandLine known =
        self.getParent().getSubcommands().entrySet().stream()
            .filter(entry -> entry.getKey().replace('-', '_').equals(name.replace('-', '_')))
            .map(Map.Entry::getValue)
            .findFirst()
            .orElseThrow(() ->
                new OptionException(
                    "unknown command '%s'; 'rdm help' lists all commands".formatted(name)));
    if (known.getCommandName().equals(self.getCommandName())) {
      throw new OptionException("launch cannot launch itself");
    }
    return known;
  }
}
