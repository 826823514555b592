package org.relaydiffusion.launch.command;

import org.relaydiffusion.OptionException;
import picocli.CommandLine.Option;

/** How much a command says, and in which form. */
public final class ReportOptions implements Section {
  @Option(
      names = "--json",
      description = "Print the result as one JSON object on standard output. Default: text.")
  public boolean json;

  @Option(
      names = "--quiet",
      description = "No header, no progress: only results, warnings and errors. Default: off.")
  public boolean quiet;

  @Option(names = "--verbose", description = "Say more about what is done. Default: off.")
  public boolean verbose;

  @Option(names = "--debug", description = "Show the stack trace of an error. Default: off.")
  public boolean debug;

  @Override
  public String heading() {
    return "Reporting";
  }

  /**
   * Sets the log's level.
   *
   * @throws OptionException when the options contradict each other
   */
  public void apply() {
    if (quiet && verbose) {
      throw new OptionException("--quiet and --verbose cannot be had together");
    }
    LogLevel.set(verbose);
  }
}
