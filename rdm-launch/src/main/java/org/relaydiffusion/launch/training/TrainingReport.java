// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.train.TickReport;
import org.relaydiffusion.diffusion.train.TrainingListener;
import org.relaydiffusion.diffusion.train.TrainingResult;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.progress.Durations;
import org.relaydiffusion.launch.progress.StatusLine;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.LoadOptions;

/** The output of {@code rdm train}: progress on standard error, the result on standard output. */
final class TrainingReport implements TrainingListener {
  private static final double NANOS = 1e9;

  private final Console console;
  private final ReportOptions options;
  private final Rank rank;
  private final StatusLine status;
  private final int badImages;
  private long began;
  private long beganAt = -1;

  TrainingReport(Console console, ReportOptions options, Rank rank, int badImages) {
    this.console = console;
    this.badImages = badImages;
    this.options = options;
    this.rank = rank;
    boolean off = options.quiet || !rank.isFirst();
    // In a log, the lines of the ticks are sufficient.
    this.status =
        StatusLine.of(console, off || !console.live() ? StatusLine.Kind.OFF : StatusLine.Kind.LIVE);
  }

  @Override
  public synchronized void message(String line) {
    say(line);
  }

  @Override
  public synchronized void step(long images, long total) {
    if (beganAt < 0) {
      began = System.nanoTime();
      beganAt = images;
      return;
    }
    if (status.isDue()) {
      double seconds = (System.nanoTime() - began) / NANOS;
      double rate = (images - beganAt) / seconds;
      status.show(
          String.format(
              Locale.ROOT,
              "kimg %.1f/%.1f, %s images per second, %s left",
              images / 1e3,
              total / 1e3,
              Durations.rate(rate),
              Durations.text((total - images) / rate)));
    }
  }

  @Override
  public synchronized void tick(TickReport report) {
    say(report.line());
  }

  @Override
  public synchronized void saved(Path file) {
    if (options.verbose) {
      say("wrote " + file);
    }
  }

  @Override
  public synchronized void warning(String line) {
    status.clear();
    console.say("rdm train: warning: " + line);
  }

  @Override
  public synchronized void waiting(String line) {
    // Every rank reports its own waiting: the first one may not be running.
    if (!options.quiet) {
      status.clear();
      console.say("rdm train: " + line);
    }
  }

  private void say(String line) {
    if (!options.quiet && rank.isFirst()) {
      status.clear();
      console.say(line);
    }
  }

  /** Prints the result, in the first process. */
  synchronized void result(TrainingResult result, LoadOptions running) {
    status.clear();
    if (!rank.isFirst()) {
      return;
    }
    if (options.json) {
      console.json(json(result, running));
      return;
    }
    console.print(text(result));
  }

  private String text(TrainingResult result) {
    return badImages == 0
        ? end(result)
        : "%s; %s images were skipped: they cannot be used".formatted(end(result), badImages);
  }

  private static String end(TrainingResult result) {
    String seen = String.format(Locale.ROOT, "%.1f kimg", result.images() / 1e3);
    String took = Durations.text(result.seconds());
    return switch (result.end()) {
      case FINISHED ->
          "finished %s in %s%s"
              .formatted(
                  seen, took, result.snapshot().or(result::state).map(f -> ": " + f).orElse(""));
      case STOPPED ->
          "stopped at %s after %s; to resume, run the same command with --resume=%s"
              .formatted(seen, took, result.state().map(Path::toString).orElse(""));
    };
  }

  private Map<String, @Nullable Object> json(TrainingResult result, LoadOptions running) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("command", "train");
    json.put("end", result.end());
    json.put("images", result.images());
    json.put("bad_images", badImages);
    json.put("seconds", result.seconds());
    json.put("loss", result.loss());
    json.put("state", result.state());
    json.put("snapshot", result.snapshot());
    json.put("device", running.device().toString());
    json.put("dtype", running.dtype().torchName());
    json.put("numerics", running.numerics());
    return json;
  }
}
