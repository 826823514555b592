// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rdm evaluate calc}. */
@Command(
    name = "calc",
    description = {
      "Compute FID, sFID, Inception Score, precision and recall from activation files.",
      "Files may be larger than memory. With several processes, only the first computes."
    })
final class CalcCommand extends ComparingCommand {
  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Accepted for compatibility, at least 1; has no effect. Default: 64.",
      defaultValue = "64")
  private int batch;

  CalcCommand(Console console, StopSignal stop, ExtractorFactory extractors) {
    super(console, stop, extractors);
  }

  @Override
  String name() {
    return "calc";
  }

  @Override
  void check() {
    if (batch < 1) {
      throw new OptionException("--batch must be at least 1, but is " + batch);
    }
  }

  @Override
  String stopped() {
    return "stopped before the result was complete";
  }

  @Override
  void finish(
      Evaluation evaluation, EvaluationRun run, EvaluationFiles files, MetricsReport output) {
    output.end();
    output.result(evaluation);
  }
}
