// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.InvalidPathException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.FileNames;
import org.relaydiffusion.launch.command.InterruptedRunException;
import org.relaydiffusion.torch.DeviceMemoryException;
import org.relaydiffusion.torch.distributed.PeerLostException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Converts exceptions of a command to one line on standard error and an exit code. */
final class Failures {
  /** The option that adds the stack trace to the line. */
  static final String DEBUG = "--debug";

  private final Console console;
  private final boolean debug;

  Failures(Console console, List<String> arguments) {
    this.console = console;
    this.debug = arguments.contains(DEBUG);
  }

  /** Handles a command line that picocli cannot parse. */
  int usage(ParameterException e, String[] arguments) {
    report(Printable.message(message(e)), e);
    hint(e.getCommandLine());
    return ExitCode.USAGE;
  }

  private static @Nullable String message(ParameterException e) {
    if (e instanceof UnmatchedArgumentException unmatched) {
      return unmatched(unmatched);
    }
    // The message of a converter is better than picocli's message about it.
    return e.getCause() instanceof OptionException option ? option.getMessage() : e.getMessage();
  }

  /** Names the argument that was not recognized, and a similar name if there is one. */
  private static String unmatched(UnmatchedArgumentException e) {
    String what = String.join(" ", e.getUnmatched());
    boolean isGroup = e.getCommandLine().getCommandSpec().subcommands().size() > 0;
    String message =
        e.isUnknownOption()
            ? "Unknown option: '%s'".formatted(what)
            : isGroup
                ? "unknown command '%s'".formatted(e.getUnmatched().getFirst())
                : "unexpected argument '%s'".formatted(what);
    List<String> names = e.getSuggestions();
    return names.isEmpty() ? message : message + "; did you mean " + names.getFirst() + "?";
  }

  /** Handles an exception thrown while the command ran. */
  int execution(Throwable thrown, CommandLine command) {
    Throwable e = unwrap(thrown);
    switch (e) {
      case InterruptedRunException interrupted -> {
        console.say("rdm: " + Printable.message(interrupted.getMessage()));
        return ExitCode.INTERRUPTED;
      }
      case OptionException option -> {
        report(Printable.message(option.getMessage()), option);
        hint(command);
        return ExitCode.USAGE;
      }
      case PeerLostException lost -> {
        report(Printable.message(lost.getMessage()), lost);
        return ExitCode.PEER_LOST;
      }
      case DeviceMemoryException memory ->
          report(Printable.message(memory.getMessage()) + lessMemory(command), memory);
      case RdmException known ->
          report(
              Printable.message(known.getMessage())
                  + FileNames.hint(String.valueOf(known.getMessage()))
                      .map(h -> "; " + h)
                      .orElse(""),
              known);
      case InvalidPathException name -> report(Printable.message(FileNames.reason(name)), name);
      case OutOfMemoryError memory ->
          report(
              "not enough memory (%s): try a smaller --batch%s"
                  .formatted(Printable.message(memory.getMessage()), again()),
              memory);
      case InternalError fault when MappedFile.isFault(fault) ->
          report(
              "a file was truncated by another program while it was being read" + again(), fault);
      default -> report("unexpected " + Printable.message(e.toString()) + again(), e);
    }
    return ExitCode.FAILURE;
  }

  /**
   * Names the options of a command by which it needs less memory on the device. In training, the
   * batch can stay what it is: fewer images at a time have the same result.
   */
  private static String lessMemory(CommandLine command) {
    String fewer = has(command, "--batch-gpu") ? "--batch-gpu" : "--batch";
    if (!has(command, fewer)) {
      return "";
    }
    String also = has(command, "--checkpoint-activations") ? ", or --checkpoint-activations" : "";
    return "; try a smaller %s%s".formatted(fewer, also);
  }

  private static boolean has(CommandLine command, String option) {
    return command.getCommandSpec().findOption(option) != null;
  }

  /**
   * Returns the exit code of a finished command. A result that could not be written is a failure,
   * unless the reader of a pipe has closed it.
   *
   * @param code the exit code of the command itself
   */
  int written(int code) {
    Optional<String> reason = console.failure();
    if (reason.isEmpty()) {
      return code;
    }
    console.say("rdm: cannot write to standard output: " + reason.get());
    return code == ExitCode.OK ? ExitCode.FAILURE : code;
  }

  /**
   * Unwraps, for example, a failed class initializer, which hides the library that could not be
   * loaded.
   */
  private static Throwable unwrap(Throwable thrown) {
    for (Throwable e = thrown; e != null; e = e.getCause()) {
      if (e instanceof RdmException || e instanceof InvalidPathException) {
        return e;
      }
    }
    return thrown;
  }

  private String again() {
    return debug ? "" : "; use --debug for details";
  }

  private void hint(CommandLine command) {
    console.say("rdm: see '%s --help'".formatted(command.getCommandSpec().qualifiedName()));
  }

  private void report(String message, Throwable e) {
    console.say("rdm: " + message);
    if (debug) {
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace, true));
      trace.toString().lines().map(line -> line.replace("\t", "    ")).forEach(console::say);
    }
  }
}
