// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.data.LeftOut;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.progress.Durations;
import org.relaydiffusion.launch.progress.StatusLine;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.metrics.extraction.ExtractionListener;
import org.relaydiffusion.metrics.extraction.ExtractionOptions;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Content;
import org.relaydiffusion.metrics.extraction.ExtractionResult;

/**
 * The output of the activations command: a header and progress on standard error, the result on
 * standard output. If there are several processes, only the first prints, or all with {@code
 * --verbose}.
 */
final class ActivationsReport implements ExtractionListener {
  private static final double NANOS = 1e9;

  private final Console console;
  private final ReportOptions report;
  private final Rank rank;
  private final ExtractionOptions options;
  private final StatusLine status;
  private long began;
  private long first;
  private long saved;
  private long total;

  ActivationsReport(Console console, ReportOptions report, Rank rank, ExtractionOptions options) {
    this.console = console;
    this.report = report;
    this.rank = rank;
    this.options = options;
    this.status = StatusLine.of(console, StatusLine.kind(console, speaks()));
  }

  private boolean speaks() {
    return !report.quiet && (rank.isFirst() || report.verbose);
  }

  /** Prints the header, and a line about files that are not images of the set. */
  void header(LeftOut leftOut) {
    if (report.quiet || !rank.isFirst()) {
      return;
    }
    String processes =
        rank.isDistributed()
            ? ", %s processes (%s)".formatted(rank.worldSize(), rank.source())
            : "";
    console.say(
        "rdm evaluate activations: %s -> %s, %s, batch %s, %s, %s%s"
            .formatted(
                options.data(),
                options.target(),
                options.content() == Content.MOMENTS ? "moments" : "activations",
                options.batch(),
                options.device(),
                options.network().numerics().name().toLowerCase(Locale.ROOT),
                processes));
    if (leftOut.count() > 0) {
      console.say("%s: %s".formatted(options.data(), leftOut.text()));
    }
  }

  @Override
  public void extracted(long done, long all) {
    total = all;
    if (first == 0) {
      // The first batch includes one-time preparation and would distort the rate.
      first = done;
      began = System.nanoTime();
    } else if (status.isDue()) {
      double rate = (done - first) / ((System.nanoTime() - began) / NANOS);
      status.show(
          "%s/%s images  %s images/s  %s left"
              .formatted(done, all, Durations.rate(rate), Durations.text((all - done) / rate)));
    }
  }

  @Override
  public void saved(long images) {
    saved = images;
  }

  @Override
  public void waiting(long parts, long all) {
    if (status.isDue()) {
      status.show("waiting for the other processes: %s/%s parts".formatted(parts, all));
    }
  }

  @Override
  public void joined(long done, long all) {
    if (status.isDue()) {
      status.show("writing %s: %s%%".formatted(options.target(), 100 * done / all));
    }
  }

  /** Prints what a stopped run has saved, and how to resume. */
  String stopped() {
    return saved < total
        ? ("stopped with the features of %s of %s images saved beside %s; run the same command"
                + " again to resume")
            .formatted(saved, total, options.target())
        : "stopped before %s was written; its parts are kept; run the same command again to resume"
            .formatted(options.target());
  }

  /** Removes the status line from the terminal. */
  void end() {
    status.clear();
  }

  /** Prints the result, as text or JSON; only the first process has one. */
  void result(ExtractionResult result) {
    if (result.written().isPresent()) {
      ExtractionResult.Written written = result.written().get();
      if (report.json) {
        console.json(json(result, written));
      } else {
        console.print(text(result, written));
        console.print("Inception weights: SHA-256 " + options.network().sha256());
      }
    } else if (speaks()) {
      status.print(
          "rank %s: %s images in %s, %s per second"
              .formatted(
                  rank.index(),
                  result.extracted(),
                  Durations.text(result.seconds()),
                  Durations.rate(result.imagesPerSecond())));
    }
  }

  private String text(ExtractionResult result, ExtractionResult.Written written) {
    StringBuilder text = new StringBuilder();
    text.append(
        "%s: %s of %s images, %s and %s dimensions, %s"
            .formatted(
                options.target(),
                options.content() == Content.MOMENTS ? "moments" : "activations",
                written.images(),
                written.dimensions(),
                written.spatialDimensions(),
                Durations.text(result.seconds())));
    if (result.imagesPerSecond() > 0) {
      text.append(", %s images/s".formatted(Durations.rate(result.imagesPerSecond())));
    }
    if (result.reused() > 0) {
      text.append("; %s were already extracted".formatted(result.reused()));
    }
    if (!options.without().isEmpty()) {
      text.append(
          "; %s images were skipped: they cannot be used".formatted(options.without().size()));
    }
    return text.toString();
  }

  private Map<String, @Nullable Object> json(
      ExtractionResult result, ExtractionResult.Written written) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("command", "evaluate activations");
    json.put("data", options.data());
    json.put("dest", options.target());
    json.put("content", options.content());
    json.put("images", written.images());
    json.put("reused", result.reused());
    json.put("bad_images", options.without().size());
    json.put("dimensions", written.dimensions());
    json.put("spatial_dimensions", written.spatialDimensions());
    json.put("seconds", result.seconds());
    json.put("images_per_second", result.imagesPerSecond());
    json.put("inception_sha256", options.network().sha256());
    json.put("batch", options.batch());
    json.put("device", options.device().toString());
    json.put("numerics", options.network().numerics());
    json.put("tf32", options.usesTf32());
    json.put("world_size", rank.worldSize());
    return json;
  }
}
