package org.relaydiffusion.launch.command;

import org.relaydiffusion.launch.Console;
import org.relaydiffusion.launch.StopSignal;
import org.relaydiffusion.launch.evaluation.Evaluation;
import org.relaydiffusion.launch.evaluation.EvaluationFiles;
import org.relaydiffusion.launch.evaluation.EvaluationRun;
import picocli.CommandLine.Command;

/** {@code rdm evaluate calc}. */
@Command(
    name = "calc",
    description = {
      "Compute FID, sFID, inception score, precision and recall from activation files.",
      "Files may be larger than memory. Of several processes, the first computes."
    })
final class CalcCommand extends ComparingCommand {
  CalcCommand(Console console, StopSignal stop, ExtractorFactory extractors) {
    super(console, stop, extractors);
  }

  @Override
  String name() {
    return "calc";
  }

  @Override
  String stopped() {
    return "stopped before all was computed; there is no result";
  }

  @Override
  void finish(
      Evaluation evaluation, EvaluationRun run, EvaluationFiles files, MetricsReport output) {
    output.end();
    output.result(evaluation);
  }
}
