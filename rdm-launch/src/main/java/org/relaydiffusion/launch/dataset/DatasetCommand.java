// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.dataset;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.data.BadImages;
import org.relaydiffusion.diffusion.data.convert.ConvertedDataset;
import org.relaydiffusion.diffusion.data.convert.Crop;
import org.relaydiffusion.diffusion.data.convert.CropAndScale;
import org.relaydiffusion.diffusion.data.convert.DatasetConversion;
import org.relaydiffusion.diffusion.data.convert.DatasetTarget;
import org.relaydiffusion.diffusion.data.convert.ImageSource;
import org.relaydiffusion.diffusion.data.convert.ImageSources;
import org.relaydiffusion.diffusion.data.convert.Resolution;
import org.relaydiffusion.diffusion.data.convert.Split;
import org.relaydiffusion.diffusion.data.convert.SyntheticShapes;
import org.relaydiffusion.launch.command.BadImagesOption;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.FileNames;
import org.relaydiffusion.launch.command.InterruptedRunException;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.command.ThreadCounts;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rdm dataset}. */
@Command(
    name = "dataset",
    aliases = "dataset_tool",
    description = {
      "Create a training set, a folder or zip of images of one size with their labels.",
      "The source 'synthetic:shapes' generates a labelled data set of eight classes of shapes."
    })
public final class DatasetCommand implements Callable<Integer> {
  private static final int SYNTHETIC_IMAGES = 10_000;
  private static final int SYNTHETIC_RESOLUTION = 64;

  private final Console console;
  private final StopSignal stop;

  @Option(
      names = "--source",
      paramLabel = "PATH",
      required = true,
      description =
          "Source of the images: a folder (with its subfolders), a .zip, an LMDB,"
              + " cifar-10-python.tar.gz, train-images-idx3-ubyte.gz (MNIST; with its labels beside"
              + " it), or synthetic:shapes.")
  private String source = "";

  @Option(
      names = "--dest",
      paramLabel = "PATH",
      required = true,
      description =
          "A file name that ends with .zip, or a folder; must not exist or be empty, unless"
              + " --overwrite is given.")
  private Path target = Path.of("");

  @Option(
      names = "--overwrite",
      description =
          "Replace an existing data set in --dest. In a folder, only files that this command"
              + " writes are deleted. Default: fail if it exists.")
  private boolean overwrite;

  @Option(
      names = "--max-images",
      paramLabel = "N",
      description = "Use the first N images of the source, at least 1. Default: all.")
  private @Nullable Integer maxImages;

  @Option(
      names = "--transform",
      paramLabel = "none|center-crop|center-crop-wide",
      completionCandidates = Candidates.Crops.class,
      description =
          "Crop before resizing: none, the central square, or a wide central part that is then"
              + " padded with black. Default: ${DEFAULT-VALUE}.",
      defaultValue = "none")
  private Crop crop = Crop.NONE;

  @Option(
      names = "--resolution",
      paramLabel = "WxH",
      description =
          "Size of the images, such as 64x64. Default: that of the source; 64x64 for"
              + " synthetic:shapes.")
  private @Nullable Resolution resolution;

  @Option(
      names = "--images",
      paramLabel = "N",
      description = "Number of images of synthetic:shapes. Default: --max-images, otherwise 10000.")
  private @Nullable Integer images;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description =
          "Seed of synthetic:shapes; equal seeds give the same scenes at any size."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "0")
  private long seed;

  @Option(
      names = "--split",
      paramLabel = "train|test",
      completionCandidates = Candidates.Splits.class,
      description =
          "The part of CIFAR-10: the 50,000 training images, or the 10,000 of the test batch."
              + " Default: train.")
  private @Nullable Split split;

  @Option(
      names = "--workers",
      paramLabel = "N",
      description =
          "Number of threads that read and resize images, 1 to 1024; does not affect the result."
              + " Default: one per core.")
  private @Nullable Integer workers;

  @Mixin private final BadImagesOption badImages = new BadImagesOption();
  @Mixin private final ReportOptions report = new ReportOptions();

  public DatasetCommand(Console console, StopSignal stop) {
    this.console = console;
    this.stop = stop;
  }

  @Override
  public Integer call() {
    report.apply();
    DatasetReport output = new DatasetReport(console, report, badImages.mode);
    DatasetTarget place = new DatasetTarget(target, overwrite);
    if (badImages.mode != BadImages.LIST) {
      place.check(sourcePath());
    }
    try (ImageSource opened = open()) {
      DatasetConversion conversion =
          new DatasetConversion(
              opened,
              new CropAndScale(crop, resolution),
              place,
              limit(),
              workers == null
                  ? Runtime.getRuntime().availableProcessors()
                  : ThreadCounts.workers(workers),
              badImages.mode);
      output.header(source, target, conversion);
      ConvertedDataset done = run(conversion, output);
      output.result(source, done);
    }
    return ExitCode.OK;
  }

  private ConvertedDataset run(DatasetConversion conversion, DatasetReport output) {
    Cancellation cancellation = new Cancellation();
    stop.onRequest(cancellation::cancel);
    try {
      return conversion.run(output, cancellation);
    } catch (CancelledException e) {
      throw new InterruptedRunException(
          "stopped after %s of %s images; %s was not written"
              .formatted(output.done(), conversion.count(), target),
          e);
    } finally {
      output.end();
    }
  }

  private ImageSource open() {
    Optional<Path> path = sourcePath();
    if (path.isEmpty()) {
      return synthetic();
    }
    if (images != null) {
      throw new OptionException("--images is only valid with --source=" + SyntheticShapes.NAME);
    }
    return ImageSources.open(path.get(), limit(), Optional.ofNullable(split));
  }

  /** Returns the folder or file of the source; empty for generated images. */
  private Optional<Path> sourcePath() {
    if (source.startsWith("synthetic:")) {
      return Optional.empty();
    }
    return Optional.of(FileNames.path(source));
  }

  private ImageSource synthetic() {
    if (split != null) {
      throw new OptionException(
          "--split is only valid for CIFAR-10's archive: " + source + " has no splits");
    }
    if (!source.equals(SyntheticShapes.NAME)) {
      throw new OptionException(
          "unknown --source %s; did you mean %s?".formatted(source, SyntheticShapes.NAME));
    }
    if (resolution != null && resolution.width() != resolution.height()) {
      throw new OptionException(
          "--resolution %s: %s must be square".formatted(resolution, SyntheticShapes.NAME));
    }
    return new SyntheticShapes(
        images != null ? images : maxImages != null ? maxImages : SYNTHETIC_IMAGES,
        resolution == null ? SYNTHETIC_RESOLUTION : resolution.width(),
        seed);
  }

  private OptionalInt limit() {
    if (maxImages != null && maxImages < 1) {
      throw new OptionException("--max-images must be at least 1, but is " + maxImages);
    }
    return maxImages == null ? OptionalInt.empty() : OptionalInt.of(maxImages);
  }
}
