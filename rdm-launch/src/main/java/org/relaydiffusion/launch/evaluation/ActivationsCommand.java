// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.data.BadImages;
import org.relaydiffusion.diffusion.data.BadPicture;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.LeftOut;
import org.relaydiffusion.diffusion.data.PictureCheck;
import org.relaydiffusion.io.OutputFile;
import org.relaydiffusion.launch.command.BadImagesOption;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.InterruptedRunException;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.metrics.ActivationsFile;
import org.relaydiffusion.metrics.SampleArray;
import org.relaydiffusion.metrics.extraction.ActivationsExtraction;
import org.relaydiffusion.metrics.extraction.ExtractionOptions;
import org.relaydiffusion.metrics.extraction.ExtractionResult;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rdm evaluate activations}. */
@Command(
    name = "activations",
    description = {
      "Extract Inception features of images to a file, with one process or several ('rdm"
          + " launch').",
      "If it was stopped or killed, run the same command again to resume."
    })
final class ActivationsCommand implements Callable<Integer> {
  /**
   * How long the first process waits for the next part of another one. A part of moments can be of
   * 20,000 images, and {@code rdm launch} ends all processes when one dies.
   */
  private static final Duration PATIENCE = Duration.ofHours(6);

  private final Console console;
  private final StopSignal stop;
  private final ExtractorFactory extractors;

  @Mixin private final ActivationsOptions job = new ActivationsOptions();
  @Mixin private final BadImagesOption badImages = new BadImagesOption();
  @Mixin private final ExtractorOptions network = new ExtractorOptions();
  @Mixin private final ReportOptions report = new ReportOptions();

  ActivationsCommand(Console console, StopSignal stop, ExtractorFactory extractors) {
    this.console = console;
    this.stop = stop;
    this.extractors = extractors;
  }

  @Override
  public Integer call() {
    report.apply();
    Rank rank = Rank.of(console.environment());
    // Report invalid options before the network is loaded.
    ExtractionOptions options = options(rank, "", Set.of());
    OutputFile.refuseInput(job.target, job.data);
    if (network.inception != null) {
      OutputFile.refuseInput(job.target, network.inception);
    }
    OutputFile.refuseOthers(job.target, "activation file", ActivationsFile::isActivations);
    Optional<PictureCheck> looked = look(rank);
    if (looked.isEmpty()) {
      return ExitCode.OK;
    }
    PictureCheck check = looked.get();
    network.prepare(rank);
    try (ExtractorFactory.Opened opened =
        extractors.open(
            Optional.ofNullable(network.inception),
            console.environment(),
            options.device(),
            network.compute.numerics)) {
      ExtractionOptions complete = options(rank, opened.sha256(), check.names());
      ActivationsReport output = new ActivationsReport(console, report, rank, complete);
      output.header(check.leftOut());
      output.result(run(complete, opened, output));
    }
    return ExitCode.OK;
  }

  private ExtractionResult run(
      ExtractionOptions options, ExtractorFactory.Opened opened, ActivationsReport output) {
    Cancellation cancellation = new Cancellation();
    stop.onRequest(cancellation::cancel);
    try {
      return new ActivationsExtraction(options).run(opened.extractor(), output, cancellation);
    } catch (CancelledException e) {
      throw new InterruptedRunException(output.stopped(), e);
    } finally {
      output.end();
    }
  }

  /** Checks the images, as for training; every process does so if bad ones are skipped. */
  private Optional<PictureCheck> look(Rank rank) {
    if (SampleArray.isNameOfOne(job.data)) {
      if (badImages.mode == BadImages.LIST) {
        throw new OptionException(
            "--bad-images=list is only valid for folders and zips: the images of an array cannot"
                + " be bad");
      }
      return Optional.of(new PictureCheck(List.of(), 0, LeftOut.NONE));
    }
    if (!rank.isFirst() && badImages.mode != BadImages.SKIP) {
      return badImages.mode == BadImages.LIST
          ? Optional.empty()
          : Optional.of(new PictureCheck(List.of(), 0, LeftOut.NONE));
    }
    // If bad images are skipped, the random subset is one of the remaining images.
    DatasetOptions which =
        badImages.mode == BadImages.SKIP || job.limit().isEmpty()
            ? DatasetOptions.DEFAULT
            : DatasetOptions.DEFAULT.withAtMost(job.limit().getAsInt(), job.seed());
    // One process reports for all.
    return rank.isFirst()
        ? badImages.look(job.data, which, "evaluate activations", console, report)
        : Optional.of(
            PictureCheck.of(job.data, which, BadPicture.Listener.NONE, new Cancellation()));
  }

  private ExtractionOptions options(Rank rank, String sha256, Set<String> without) {
    return new ExtractionOptions(
        job.data,
        without,
        job.limit(),
        job.seed(),
        job.target,
        job.content(),
        job.leftovers(),
        job.batch,
        network.workers(rank),
        network.compute.device(rank),
        new ExtractionOptions.Network(sha256, network.compute.numerics, network.tf32()),
        new ExtractionOptions.Share(rank.index(), rank.worldSize(), PATIENCE));
  }
}
