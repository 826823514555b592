// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.util.Optional;
import java.util.stream.Stream;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.OutputFile;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.metrics.report.EvaluationReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rdm evaluate report}. */
@Command(
    name = "report",
    description = {
      "Compute metrics as calc does, and write a self-contained HTML page with the metrics,",
      "a contact sheet, samples beside their nearest neighbours in the reference set, the",
      "norms of the features, and the options and seeds of the samples."
    })
final class ReportCommand extends ComparingCommand {
  @Mixin private final PageOptions page = new PageOptions();

  ReportCommand(Console console, StopSignal stop, ExtractorFactory extractors) {
    super(console, stop, extractors);
  }

  @Override
  String name() {
    return "report";
  }

  @Override
  String stopped() {
    return "stopped; %s was not written".formatted(page.target);
  }

  @Override
  void check() {
    page.content();
    AtomicFile.checkWritable(page.target);
  }

  @Override
  void check(EvaluationJob job, EvaluationFiles files) {
    OutputFile.refuseInput(page.target, job.sample());
    Stream.of(job.reference(), page.content().samples(), page.content().reference())
        .flatMap(Optional::stream)
        .forEach(input -> OutputFile.refuseInput(page.target, input));
    page.content().options().ifPresent(input -> OutputFile.refuseInput(page.target, input));
    OutputFile.refuseOthers(page.target, "report", EvaluationReport::isPage);
    ReportBuilder.check(page.content(), job, files);
  }

  @Override
  void finish(
      Evaluation evaluation, EvaluationRun run, EvaluationFiles files, MetricsReport output) {
    try {
      new ReportBuilder(page.content(), evaluation, files, run).build().write(page.target);
    } catch (RuntimeException e) {
      // The values are printed even if the page cannot be built.
      output.end();
      output.result(evaluation);
      throw e;
    }
    output.end();
    output.result(evaluation, page.target);
  }
}
