// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import org.relaydiffusion.OptionException;
import picocli.CommandLine.Option;

/** The amount and form of the output of a command. */
public final class ReportOptions implements Section {
  @Option(
      names = "--json",
      description = "Print the result as one JSON object on standard output. Default: text.")
  public boolean json;

  @Option(
      names = "--quiet",
      description =
          "Print no header and no progress, only results, warnings and errors. Default: off.")
  public boolean quiet;

  @Option(names = "--verbose", description = "Print more details. Default: off.")
  public boolean verbose;

  @Option(names = "--debug", description = "Print the stack trace of an error. Default: off.")
  public boolean debug;

  @Override
  public String heading() {
    return "Reporting";
  }

  /**
   * Sets the level of the log.
   *
   * @throws OptionException if the options are mutually exclusive
   */
  public void apply() {
    if (quiet && verbose) {
      throw new OptionException("--quiet and --verbose are mutually exclusive");
    }
    LogLevel.set(verbose);
  }
}
