// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.progress.Durations;
import org.relaydiffusion.launch.progress.StatusLine;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.torch.DType;

/**
 * The output of a sampling command: a header and progress on standard error, the result on standard
 * output.
 */
final class SamplingReport {
  private final Console console;
  private final ReportOptions options;

  SamplingReport(Console console, ReportOptions options) {
    this.console = console;
    this.options = options;
  }

  /** Prints the header, in the first process. */
  void header(SamplingJob job) {
    if (options.quiet || !job.rank().isFirst()) {
      return;
    }
    SamplingJob.Runtime runtime = job.runtime();
    String processes =
        job.rank().worldSize() > 1
            ? ", %s processes (%s)".formatted(job.rank().worldSize(), job.rank().source())
            : "";
    String noise =
        runtime.noiseText().equals(Noise.CPU.toString()) ? "" : ", noise " + runtime.noiseText();
    console.say(
        "rdm %s: seeds %s, batch %s, %s, %s, %s, %s%s%s"
            .formatted(
                job.command(),
                job.seedsText(),
                job.batch(),
                stages(job),
                runtime.device(),
                runtime.dtypeText(),
                runtime.numerics().name().toLowerCase(Locale.ROOT),
                noise,
                processes));
    job.repetition().ifPresent(repeated -> console.say(repetition(repeated)));
  }

  private static String repetition(Repetition repeated) {
    String file = Printable.of(repeated.origin().file());
    return repeated
        .place()
        .filter(place -> place.size() > 1)
        .map(place ->
            ("repeating %s: in a batch of %s as before, filled with copies, because other batch"
                    + " sizes may round differently; --batch=1 is faster")
                .formatted(file, place.size()))
        .orElse("repeating " + file);
  }

  private static String stages(SamplingJob job) {
    if (job.count() == 1) {
      return StageNames.of(job.last()) + " stage";
    }
    return job.count() == 2 && job.range().from() == 0
        ? "both stages"
        : "stages %s to %s".formatted(job.range().from() + 1, job.last() + 1);
  }

  /** Returns the progress of the first process, or of all with {@code --verbose}. */
  StatusLine status(Rank rank) {
    boolean shown = !options.quiet && (rank.isFirst() || options.verbose);
    return StatusLine.of(console, StatusLine.kind(console, shown));
  }

  /** Prints the result, as text or JSON. */
  void result(SamplingResult result) {
    if (options.json) {
      console.json(json(result));
      return;
    }
    console.print(text(result));
    result
        .sheet()
        .ifPresent(sheet ->
            console.print(
                "%s: contact sheet of %s images".formatted(sheet.file(), sheet.images())));
    result.animation().ifPresent(file -> console.print("%s: animation".formatted(file)));
    result
        .npz()
        .ifPresent(npz ->
            console.print(
                "%s: %s images in array 'arr_0'".formatted(npz, result.job().seeds().size())));
  }

  private static String text(SamplingResult result) {
    StringBuilder text = new StringBuilder();
    text.append(result.job().target().outdir());
    text.append(": %s images".formatted(result.images()));
    if (result.images() > 0) {
      text.append(
          " in %s, %s per second"
              .formatted(
                  Durations.text(result.seconds()), Durations.rate(result.imagesPerSecond())));
    }
    if (result.skipped() > 0) {
      text.append("; %s already existed".formatted(result.skipped()));
    }
    return text.toString();
  }

  private static Map<String, @Nullable Object> json(SamplingResult result) {
    SamplingJob job = result.job();
    Map<String, @Nullable Object> json = job.resolved();
    json.put("dtypes", result.dtypes().stream().map(DType::torchName).toList());
    json.put("cuda_graphs", job.runtime().cudaGraphs());
    json.put("images", result.images());
    json.put("skipped", result.skipped());
    json.put("seconds", result.seconds());
    json.put("images_per_second", result.imagesPerSecond());
    json.put("grid", result.sheet().map(SamplingResult.Sheet::file));
    json.put("npz", result.npz());
    json.put("animation", result.animation());
    json.put("rank", job.rank().index());
    return json;
  }
}
