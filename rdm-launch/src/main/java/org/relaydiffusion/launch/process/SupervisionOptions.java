// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.Converters;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** What happens when a rank fails or the run is stopped, and the destination of the output. */
final class SupervisionOptions implements Section {
  private static final int LONGEST_PATIENCE = 86_400;

  @Option(
      names = "--max_restarts",
      paramLabel = "N",
      description =
          "How many times all ranks are restarted after one has failed; train then resumes from its"
              + " last state. Default: ${DEFAULT-VALUE}.",
      defaultValue = "0")
  int maxRestarts;

  @Option(
      names = "--monitor_interval",
      paramLabel = "SECONDS",
      description = "Accepted for compatibility; has no effect." + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "0.1")
  double monitorInterval;

  @Option(
      names = "--stop_timeout",
      paramLabel = "SECONDS",
      description =
          "Timeout for ranks to finish their step and save after Ctrl-C or SIGTERM, before"
              + " they are killed. Default: ${DEFAULT-VALUE}.",
      defaultValue = "300")
  int patience;

  @Option(
      names = "--log_dir",
      paramLabel = "DIR",
      description =
          "Write the output of ranks to DIR/attempt_0/rank_0.log and so on, instead of the console."
              + " Default: the console, in lines prefixed with the rank.")
  @Nullable Path folder;

  @Option(
      names = {"-t", "--tee"},
      paramLabel = "STREAMS",
      description =
          "Streams that go to the files and the console: 1 standard output, 2 standard error, 3"
              + " both, or per local rank as in 0:3,1:2. Default: 0.")
  @Nullable String tee;

  @Option(
      names = {"-r", "--redirects"},
      paramLabel = "STREAMS",
      description =
          "Streams that go to the files only, as for --tee. Default: 3 with --log_dir and without"
              + " --tee, otherwise 0.")
  @Nullable String redirects;

  @Override
  public String heading() {
    return "Failures and output";
  }

  /**
   * Checks the values.
   *
   * @throws OptionException naming the one that is out of range
   */
  void check() {
    if (maxRestarts < 0) {
      throw new OptionException("--max_restarts must be at least 0, but is " + maxRestarts);
    }
    if (!(monitorInterval > 0)) {
      throw new OptionException(
          "--monitor_interval must be above 0, but is " + Converters.text(monitorInterval));
    }
    if (patience < 1 || patience > LONGEST_PATIENCE) {
      throw new OptionException(
          "--stop_timeout must be 1 to %s, but is %s".formatted(LONGEST_PATIENCE, patience));
    }
  }

  /** Returns the timeout for ranks to stop. */
  Duration patience() {
    return Duration.ofSeconds(patience);
  }

  /**
   * Returns the destination of the output.
   *
   * @param results the use of standard output
   * @throws OptionException if the options contradict each other
   */
  OutputPlan output(OutputPlan.Results results) {
    return new OutputPlan(
        Optional.ofNullable(folder),
        choice("--tee", tee),
        choice("--redirects", redirects),
        results);
  }

  private static StreamChoice choice(String option, @Nullable String text) {
    return text == null ? StreamChoice.NONE : StreamChoice.parse(option, text);
  }
}
