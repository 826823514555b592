// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.evaluation.ExtractorFactory;
import org.relaydiffusion.launch.process.WorkerCommand;
import picocli.CommandLine;

/**
 * One command line, run in this process.
 *
 * @param code the exit code
 * @param out standard output
 * @param err standard error
 */
public record RdmRun(int code, String out, String err) {
  /** Runs a command line in an empty environment. */
  public static RdmRun of(String... arguments) {
    return in(Map.of(), arguments);
  }

  /** Runs a command line. */
  public static RdmRun in(Map<String, String> environment, String... arguments) {
    return run(environment, new StopSignal(), arguments);
  }

  /** Runs a command line that {@code stop} may end. */
  public static RdmRun run(Map<String, String> environment, StopSignal stop, String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Console console = new Console(new PrintWriter(out), new PrintWriter(err), false, environment);
    int code = Rdm.run(List.of(arguments), console, stop);
    return new RdmRun(code, out.toString(), err.toString());
  }

  /** Runs a command line that evaluates with another network than Inception. */
  public static RdmRun evaluating(
      ExtractorFactory extractors,
      Map<String, String> environment,
      StopSignal stop,
      String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Console console = new Console(new PrintWriter(out), new PrintWriter(err), false, environment);
    CommandLine root =
        RootCommand.commandLine(
            console, stop, WorkerCommand.likeThisProcess(Rdm.class), extractors);
    int code = Rdm.run(List.of(arguments), console, root);
    return new RdmRun(code, out.toString(), err.toString());
  }

  /** The first line of standard error. */
  public String error() {
    return err.lines().findFirst().orElse("");
  }
}
