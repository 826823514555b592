// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code rdm help}, which also supports commands of a group, unlike picocli's own. */
@Command(
    name = "help",
    helpCommand = true,
    description = "Show the help of a command, as in 'rdm help evaluate activations'.")
public final class ExplainCommand implements Callable<Integer> {
  private final Console console;

  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      paramLabel = "COMMAND",
      arity = "0..*",
      description = "The command; if omitted, all commands are listed.")
  private List<String> names = new ArrayList<>();

  public ExplainCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    CommandLine line = Objects.requireNonNull(spec).commandLine().getParent();
    for (String name : names) {
      CommandLine inner = line.getSubcommands().get(name);
      if (inner == null) {
        throw new OptionException(
            "unknown command '%s %s'".formatted(line.getCommandSpec().qualifiedName(), name));
      }
      line = inner;
    }
    line.usage(console.out());
    return ExitCode.OK;
  }
}
