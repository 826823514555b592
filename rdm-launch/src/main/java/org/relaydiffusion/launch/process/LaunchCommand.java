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
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code rdm launch}: any other command as several processes. */
@Command(
    name = "launch",
    description = {
      "Run any rdm command as several processes, on one machine or on several, as torchrun does.",
      "Example: rdm launch --standalone --nproc_per_node=2 generate --outdir=out ...",
      "What follows the command's name belongs to the command.",
      "When a rank fails, the others are stopped within 10 s; when this process is stopped, the"
          + " ranks finish their step and save."
    })
public final class LaunchCommand implements Callable<Integer> {
  private static final Set<String> HELP = Set.of("-h", "--help", "-V", "--version");

  private final Console console;
  private final StopSignal stop;
  private final WorkerCommand worker;

  @Spec private @Nullable CommandSpec spec;

  @Mixin private final MachineOptions machines = new MachineOptions();
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
   * The command, ready to be a subcommand.
   *
   * @param console what it talks to, and whose variables ranks inherit
   * @param stop ends the run in good order
   * @param worker how a rank is started
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
    Machines spread = machines.machines();
    LaunchPlan plan =
        new LaunchPlan(
            spread,
            machines.master(spread),
            machines.runId,
            supervision.maxRestarts,
            supervision.patience(),
            supervision.output(),
            command);
    Supervisor supervisor = new Supervisor(plan, worker, console);
    stop.onRequest(() -> supervisor.stop("asked to stop", ExitCode.INTERRUPTED));
    try (StopSignals _ =
        StopSignals.take(
            signal -> supervisor.stop(signal.name(), signal.exitCode()),
            signal -> supervisor.kill(signal.name()))) {
      return supervisor.run();
    }
  }

  /** The command that is launched; what it says of itself needs no ranks. */
  private CommandLine knownCommand() {
    if (command.isEmpty()) {
      throw new OptionException(
          "no command to launch: name one after the options, as in 'rdm launch generate ...'");
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
                    "there is no command '%s' to launch; 'rdm help' lists them".formatted(name)));
    if (known.getCommandName().equals(self.getCommandName())) {
      throw new OptionException("launch cannot launch itself");
    }
    return known;
  }
}
