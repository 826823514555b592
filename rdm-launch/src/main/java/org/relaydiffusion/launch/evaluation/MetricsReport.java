// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.progress.Durations;
import org.relaydiffusion.launch.progress.StatusLine;

/**
 * The output of the commands that compare activation files: a header, progress and warnings on
 * standard error, values on standard output.
 */
final class MetricsReport implements EvaluationRun.EvaluationListener {
  private static final double NANOS = 1e9;

  private final Console console;
  private final ReportOptions options;
  private final String command;
  private final EvaluationJob job;
  private final StatusLine status;
  private final long began = System.nanoTime();

  MetricsReport(Console console, ReportOptions options, String command, EvaluationJob job) {
    this.console = console;
    this.options = options;
    this.command = command;
    this.job = job;
    this.status = StatusLine.of(console, StatusLine.kind(console, !options.quiet));
  }

  /** Prints the header. */
  void header() {
    if (!options.quiet) {
      String against = job.reference().map(file -> " against " + file).orElse("");
      console.say(
          "rdm evaluate %s: %s of %s%s"
              .formatted(
                  command,
                  job.metrics().stream().map(Metric::title).collect(Collectors.joining(", ")),
                  job.sample(),
                  against));
    }
  }

  @Override
  public void advanced(String what, long done, long total) {
    if (status.isDue()) {
      status.show("%s: %s%%".formatted(what, 100 * done / Math.max(1, total)));
    }
  }

  /** Removes the status line from the terminal. */
  void end() {
    status.clear();
  }

  /** Prints the values, as text or JSON. */
  void result(Evaluation evaluation) {
    result(evaluation, null);
  }

  /** Prints the values and the file that was written. */
  void result(Evaluation evaluation, @Nullable Path written) {
    evaluation.warnings().forEach(warning -> console.say("rdm: " + warning));
    if (options.json) {
      console.json(json(evaluation, written));
      return;
    }
    for (MetricFigures.Row row : MetricFigures.of(evaluation)) {
      console.print(
          String.format(
              Locale.ROOT,
              "%-10s %s%s",
              row.name(),
              row.text(),
              row.note().isEmpty() ? "" : "  (" + row.note() + ")"));
    }
    evaluation.weights().forEach(line -> console.print("Inception weights: " + line));
    if (written != null) {
      console.print("%s: written, %s".formatted(written, Durations.text(seconds())));
    }
  }

  private double seconds() {
    return (System.nanoTime() - began) / NANOS;
  }

  private Map<String, @Nullable Object> json(Evaluation evaluation, @Nullable Path written) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("command", "evaluate " + command);
    json.put("samples", evaluation.samples());
    json.put("reference", evaluation.reference());
    MetricFigures.of(evaluation).forEach(row -> json.put(row.key(), row.value()));
    evaluation.inceptionScore().ifPresent(score -> json.put("is_of_splits", score.scores()));
    evaluation
        .inceptionScore()
        .ifPresent(_ -> {
          json.put("split_size", job.score().splitSize());
          json.put("is_bias", job.score().bias());
        });
    evaluation.precisionRecall().ifPresent(found -> json.put("k", found.k()));
    json.put("spatial_order", job.spatialOrder());
    json.put("warnings", evaluation.warnings());
    json.put("inception_sha256", evaluation.network());
    json.put("seconds", seconds());
    if (written != null) {
      json.put("dest", written);
    }
    return json;
  }
}
