// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.FileLocation;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code rdm completion}. */
@Command(
    name = "completion",
    description = {
      "Print a completion script for the commands and options of rdm.",
      "To use it in the current shell: source <(rdm completion bash)"
    })
final class CompletionCommand implements Callable<Integer> {
  /** The supported shells; the same script works in both. */
  enum Shell {
    bash,
    zsh
  }

  private final Console console;

  @SuppressWarnings("UnusedVariable") // Checked by picocli; the script is the same for both.
  @Parameters(paramLabel = "bash|zsh", description = "The shell.")
  private @Nullable Shell shell;

  @Spec private @Nullable CommandSpec spec;

  CompletionCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    CommandSpec root = Objects.requireNonNull(spec).root();
    completeFiles(root);
    console.out().print(AutoComplete.bash(root.name(), root.commandLine()));
    return ExitCode.OK;
  }

  /** Picocli only completes file names for options of type {@link Path}. */
  private static void completeFiles(CommandSpec command) {
    for (OptionSpec option : List.copyOf(command.options())) {
      if (option.type() == FileLocation.class) {
        command.remove(option);
        command.addOption(OptionSpec.builder(option.names()).arity("1").type(Path.class).build());
      }
    }
    command.subcommands().values().forEach(line -> completeFiles(line.getCommandSpec()));
  }
}
