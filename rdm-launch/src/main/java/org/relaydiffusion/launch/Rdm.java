package org.relaydiffusion.launch;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.process.LauncherWatch;
import org.relaydiffusion.launch.process.WorkerCommand;
import picocli.CommandLine;

/** The rdm command. */
public final class Rdm {
  /** Files are whole at any time, so a step that takes longer than this may be cut off. */
  private static final long PATIENCE_SECONDS = 20;

  private Rdm() {}

  /** Runs the command line and ends the process with its exit code. */
  public static void main(String[] arguments) {
    StopSignal stop = new StopSignal();
    CompletableFuture<Integer> result = new CompletableFuture<>();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> shutDown(stop, result), "rdm-stop"));
    LauncherWatch.start(System.getenv(), System.in);
    int code = run(Arrays.asList(arguments), Console.system(), stop);
    result.complete(code);
    // While a signal is being answered this waits for ever, and the JVM exits with 130 or 143.
    System.exit(code);
  }

  /**
   * Runs one command line inside this process.
   *
   * @param arguments as the shell gives them: {@code generate --outdir out ...}
   * @param console where results, progress and errors go
   * @param stop ends a long run early
   * @return the exit code, see {@link ExitCode}
   */
  public static int run(List<String> arguments, Console console, StopSignal stop) {
    return run(arguments, console, RootCommand.commandLine(
            console, stop, WorkerCommand.likeThisProcess(Rdm.class)));
  }

  /** Runs one command line on commands that were made already. */
  static int run(List<String> arguments, Console console, CommandLine root) {
    Failures failures = new Failures(console, arguments);
    root.setParameterExceptionHandler(failures::usage);
    root.setExecutionExceptionHandler((e, command, _) -> failures.execution(e, command));
    List<String> normalised = ArgumentNames.normalise(arguments, root);
    try {
      return root.execute(normalised.toArray(String[]::new));
    } catch (Error e) {
      // Picocli hands on exceptions only.
      return failures.execution(e, root);
    } finally {
      console.out().flush();
      console.err().flush();
    }
  }

  private static void shutDown(StopSignal stop, Future<Integer> result) {
    if (result.isDone()) {
      return;
    }
    try {
      StopSignal.Ending ending = stop.request().orElse(null);
      if (ending == null) {
        return;
      }
      switch (ending) {
        case SOON -> result.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        case IN_ITS_OWN_TIME -> Runtime.getRuntime().halt(result.get());
      }
    } catch (TimeoutException _) {
      System.err.println("rdm: stopped in the middle of a step; finished files are whole");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      // It is only ever completed with a number.
      throw new IllegalStateException(e);
    }
  }
}
