// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.ClassList;
import org.relaydiffusion.diffusion.ComputeType;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.diffusion.random.Seeds;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.download.Downloads;
import org.relaydiffusion.launch.download.SourceFile;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.sampling.SamplingJob.Existing;
import org.relaydiffusion.launch.sampling.SamplingJob.Metadata;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rdm demo}. */
@Command(
    name = "demo",
    description = {
      "Sample all stages in seconds, from small networks that are included.",
      "They were trained by 'rdm train' on 'rdm dataset --source synthetic:shapes': eight classes",
      "of simple shapes, 16 pixels in the first stage, 64 in the second, 128 in the third."
    })
public final class DemoCommand implements Callable<Integer> {
  private static final String SEEDS = "0-63";
  private static final String SHEET = "grid.png";

  private final Console console;
  private final StopSignal stop;

  @Option(
      names = "--outdir",
      paramLabel = "DIR",
      description =
          "The folder for the images and the contact sheet grid.png. Default: ${DEFAULT-VALUE}.",
      defaultValue = "demo")
  private Path outdir = Path.of("");

  @Option(
      names = "--stages",
      paramLabel = "N",
      description = "Number of stages, 1 to 3. Default: ${DEFAULT-VALUE}.",
      defaultValue = "2")
  private int stages;

  @Option(
      names = "--animate",
      paramLabel = "FILE.gif",
      description =
          "Also write an animation of how the first images come into being. Default: none.")
  private @Nullable Path animation;

  @Mixin private final ReportOptions report = new ReportOptions();

  public DemoCommand(Console console, StopSignal stop) {
    this.console = console;
    this.stop = stop;
  }

  @Override
  public Integer call() {
    report.apply();
    if (stages < 1 || stages > DemoNetworks.MOST_STAGES) {
      throw new OptionException(
          "--stages must be 1 to %s, but is %s".formatted(DemoNetworks.MOST_STAGES, stages));
    }
    SamplingReport output = new SamplingReport(console, report);
    try (DemoNetworks networks = DemoNetworks.unpack(stages)) {
      SamplingJob job = job(networks);
      output.header(job);
      SamplingResult result =
          new SamplingRun(
                  job, new Downloads(console, report.quiet, stop), output.status(job.rank()), stop)
              .run();
      output.result(result);
    }
    return ExitCode.OK;
  }

  private SamplingJob job(DemoNetworks networks) {
    return new SamplingJob(
        "demo",
        StageNetworks.of(networks.files().stream().map(SourceFile::of).toList()),
        new SamplingJob.Target(
            outdir,
            Optional.empty(),
            Optional.of(outdir.resolve(SHEET)),
            Optional.empty(),
            Optional.ofNullable(animation),
            Existing.REPLACE,
            Metadata.WRITE),
        Seeds.parse(SEEDS),
        SEEDS,
        Preset.DEFAULT_BATCH,
        ClassList.ALL,
        stages == 1 ? StageRange.only(0) : StageRange.ALL,
        Preset.GENERATE.stages(),
        Preset.GENERATE.enhancement(),
        new SamplingJob.Runtime(
            Device.CPU,
            ComputeType.AUTO,
            Numerics.FAST,
            CudaGraphs.AUTO,
            Noise.CPU,
            OptionalInt.empty(),
            Optional.empty()),
        Rank.SINGLE,
        Optional.empty());
  }
}
