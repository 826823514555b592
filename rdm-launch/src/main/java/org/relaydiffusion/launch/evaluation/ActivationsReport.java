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
 * What the activations command says: a header and progress on standard error, its result on
 * standard output. Of several processes only the first one speaks, or all with {@code --verbose}.
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

  /** One line about what will be done, and one about files that are no pictures of the set. */
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
      // The first batch pays for what is prepared only once: it would make the rest look slow.
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

  /** What is there of a run that was stopped, and how to go on. */
  String stopped() {
    return saved < total
        ? ("stopped with the features of %s of %s pictures in parts beside %s; the same command"
                + " goes on")
            .formatted(saved, total, options.target())
        : "stopped before %s was written; its parts are kept, and the same command goes on"
            .formatted(options.target());
  }

  /** Takes the progress line off the terminal. */
  void end() {
    status.clear();
  }

  /** The result, as text or JSON; only the first process has one. */
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
          "rank %s: %s images in %s, %s a second"
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
      text.append("; %s were there already".formatted(result.reused()));
    }
    if (!options.without().isEmpty()) {
      text.append(
          "; %s pictures were left out: they cannot be used".formatted(options.without().size()));
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
    json.put("world_size", rank.worldSize());
    return json;
  }
}
