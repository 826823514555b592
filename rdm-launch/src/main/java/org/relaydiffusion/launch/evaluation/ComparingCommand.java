// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.util.Optional;
import java.util.concurrent.Callable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.InterruptedRunException;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;
import picocli.CommandLine.Mixin;

/** The common part of the commands that compare activation files. */
abstract class ComparingCommand implements Callable<Integer> {
  private final Console console;
  private final StopSignal stop;
  private final ExtractorFactory extractors;

  @Mixin private final MetricSelection selection = new MetricSelection();
  @Mixin private final ReportOptions report = new ReportOptions();

  ComparingCommand(Console console, StopSignal stop, ExtractorFactory extractors) {
    this.console = console;
    this.stop = stop;
    this.extractors = extractors;
  }

  /** Returns the name of the command below {@code evaluate}. */
  abstract String name();

  /** Returns the message for a run that was stopped. */
  abstract String stopped();

  /** Validates options before anything is opened. */
  void check() {}

  /** Rejects inputs with which the command cannot finish, before hours of computation. */
  void check(EvaluationJob job, EvaluationFiles files) {}

  /**
   * Uses the result.
   *
   * @param run the run that computed it, which can compute more
   * @param files the open files of the run
   */
  abstract void finish(
      Evaluation evaluation, EvaluationRun run, EvaluationFiles files, MetricsReport output);

  @Override
  public Integer call() {
    report.apply();
    EvaluationJob job = selection.job();
    check();
    // The reference's command hangs with several processes; here, only the first one computes.
    if (!Rank.of(console.environment()).isFirst()) {
      return ExitCode.OK;
    }
    Cancellation cancellation = new Cancellation();
    stop.onRequest(cancellation::cancel);
    MetricsReport output = new MetricsReport(console, report, name(), job);
    output.header();
    try (EvaluationFiles files = EvaluationFiles.open(job)) {
      EvaluationRun run = new EvaluationRun(job, files, output, cancellation);
      run.check();
      check(job, files);
      finish(evaluation(job, run), run, files, output);
    } catch (CancelledException e) {
      throw new InterruptedRunException(stopped(), e);
    } finally {
      output.end();
    }
    return ExitCode.OK;
  }

  private Evaluation evaluation(EvaluationJob job, EvaluationRun run) {
    if (!job.metrics().contains(Metric.IS)) {
      return run.run(Optional.empty());
    }
    try (ExtractorFactory.Opened network =
        extractors.open(
            Optional.ofNullable(selection.inception),
            console.environment(),
            Device.CPU,
            Numerics.EXACT)) {
      return run.run(Optional.of(network.output())).withInception(network.sha256());
    }
  }
}
