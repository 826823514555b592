// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.dataset;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.data.BadImages;
import org.relaydiffusion.diffusion.data.BadPicture;
import org.relaydiffusion.diffusion.data.convert.ConvertedDataset;
import org.relaydiffusion.diffusion.data.convert.DatasetConversion;
import org.relaydiffusion.launch.command.BadImagesOption.BadPictureList;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.progress.Durations;
import org.relaydiffusion.launch.progress.StatusLine;

/**
 * The output of the dataset command: a header and a progress bar on standard error, the result on
 * standard output.
 */
final class DatasetReport implements DatasetConversion.Listener {
  private static final double NANOS = 1e9;
  private static final int BAR = 24;

  private final Console console;
  private final ReportOptions options;
  private final StatusLine status;
  private final BadImages badImages;
  private final BadPictureList bad;
  private final long began = System.nanoTime();
  private int done;

  DatasetReport(Console console, ReportOptions options, BadImages badImages) {
    this.console = console;
    this.options = options;
    this.badImages = badImages;
    this.bad = new BadPictureList(badImages, console, options);
    this.status = StatusLine.of(console, StatusLine.kind(console, !options.quiet));
  }

  /** Prints the header. */
  void header(String source, Path target, DatasetConversion conversion) {
    if (!options.quiet) {
      console.say(
          "rdm dataset: %s -> %s, %s images, %s workers"
              .formatted(
                  source,
                  badImages == BadImages.LIST ? "a list of bad images" : target,
                  conversion.count(),
                  conversion.workers()));
      String leftOut = conversion.source().leftOut().text();
      if (!leftOut.isEmpty()) {
        console.say(leftOut);
      }
    }
  }

  @Override
  public void found(BadPicture picture) {
    status.clear();
    bad.found(picture);
  }

  @Override
  public void pictureDone(int finished, int total) {
    done = finished;
    if (status.isDue()) {
      double rate = finished / seconds();
      int filled = (int) ((long) finished * BAR / total);
      status.show(
          "%s/%s images  %s/s  %s left  [%s%s]"
              .formatted(
                  finished,
                  total,
                  Durations.rate(rate),
                  Durations.text((total - finished) / rate),
                  "#".repeat(filled),
                  ".".repeat(BAR - filled)));
    }
  }

  /** Returns how many images of the source have been processed. */
  int done() {
    return done;
  }

  /** Removes the progress bar from the terminal. */
  void end() {
    status.clear();
  }

  /** Prints the result, as text or JSON. */
  void result(String source, ConvertedDataset result) {
    if (badImages == BadImages.LIST) {
      bad.result("dataset", source, done);
      return;
    }
    double seconds = seconds();
    boolean someLabels = result.labelled() > 0 && result.labelDim() == 0;
    if (someLabels && !options.quiet) {
      console.say(
          "rdm: only %s of %s images have a label, so no labels were written"
              .formatted(result.labelled(), result.images()));
    }
    if (options.json) {
      console.json(json(source, result, seconds));
    } else {
      console.print(text(result, seconds));
    }
  }

  private double seconds() {
    return (System.nanoTime() - began) / NANOS;
  }

  private static String text(ConvertedDataset result, double seconds) {
    StringBuilder text = new StringBuilder();
    text.append(
        "%s: %s images of %s x %s, %s, %s, %s"
            .formatted(
                result.target(),
                result.images(),
                result.resolution(),
                result.resolution(),
                result.channels() == 1 ? "grey" : "RGB",
                result.labelDim() == 0 ? "no labels" : result.labelDim() + " classes",
                Durations.text(seconds)));
    if (result.skipped() > 0) {
      text.append("; %s were skipped: too small".formatted(result.skipped()));
    }
    if (result.bad() > 0) {
      text.append("; %s were skipped: they cannot be used".formatted(result.bad()));
    }
    return text.toString();
  }

  private static Map<String, @Nullable Object> json(
      String source, ConvertedDataset result, double seconds) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("command", "dataset");
    json.put("source", source);
    json.put("dest", result.target());
    json.put("images", result.images());
    json.put("skipped", result.skipped());
    json.put("bad_images", result.bad());
    json.put("ignored_files", result.leftOut().count());
    json.put("resolution", result.resolution());
    json.put("channels", result.channels());
    json.put("classes", result.labelDim());
    json.put("seconds", seconds);
    json.put("images_per_second", result.images() / seconds);
    return json;
  }
}
