// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.process.LauncherWatch;
import org.relaydiffusion.launch.process.WorkerCommand;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import picocli.CommandLine;

/** The rdm command. */
public final class Rdm {
  private Rdm() {}

  /** Runs the command line and exits the process with its exit code. */
  public static void main(String[] arguments) {
    LibTorch.configure(Settings.APPLICATION);
    SignalledEnd end = SignalledEnd.install();
    LauncherWatch.start(System.getenv(), System.in);
    end.exit(run(Arrays.asList(arguments), Console.system(), end.stop()));
  }

  /**
   * Runs a command line in this process.
   *
   * @param arguments as passed by the shell: {@code generate --outdir out ...}
   * @param console receives results, progress and errors
   * @param stop requests an early end of the run
   * @return the exit code, see {@link ExitCode}
   */
  public static int run(List<String> arguments, Console console, StopSignal stop) {
    return run(
        arguments,
        console,
        RootCommand.commandLine(console, stop, WorkerCommand.likeThisProcess(Rdm.class)));
  }

  /** Runs a command line on the given commands. */
  static int run(List<String> arguments, Console console, CommandLine root) {
    Failures failures = new Failures(console, arguments);
    root.setParameterExceptionHandler(failures::usage);
    root.setExecutionExceptionHandler((e, command, _) -> failures.execution(e, command));
    List<String> normalised = ArgumentNames.normalise(arguments, root);
    try {
      return failures.written(root.execute(normalised.toArray(String[]::new)));
    } catch (Error e) {
      // Picocli forwards exceptions only.
      return failures.execution(e, root);
    } finally {
      console.out().flush();
      console.err().flush();
    }
  }
}
