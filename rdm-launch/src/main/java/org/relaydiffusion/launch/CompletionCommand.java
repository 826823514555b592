package org.relaydiffusion.launch;

import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code rdm completion}. */
@Command(
    name = "completion",
    description = {
      "Print a script that completes rdm's commands and options in the shell.",
      "For the running shell: source <(rdm completion bash)"
    })
final class CompletionCommand implements Callable<Integer> {
  /** The shells that the script is for; it is one script that knows both. */
  enum Shell {
    bash,
    zsh
  }

  private final Console console;

  @Parameters(paramLabel = "bash|zsh", description = "The shell.")
  private @Nullable Shell shell;

  @Spec private @Nullable CommandSpec spec;

  CompletionCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    CommandSpec root = Objects.requireNonNull(spec).root();
    console.out().print(AutoComplete.bash(root.name(), root.commandLine()));
    return ExitCode.OK;
  }
}
