// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.random.Seeds;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.download.Downloads;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.sampling.SamplingJob.Existing;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;

/** The common part of the three sampling commands, which differ in their {@link Preset}. */
public abstract class SamplingCommand implements Callable<Integer> {
  private final Preset preset;
  private final Console console;
  private final StopSignal stop;

  @Mixin private final JobOptions job = new JobOptions();
  @Mixin private final FirstStageOptions first = new FirstStageOptions();
  @Mixin private final SecondStageOptions second = new SecondStageOptions();
  @Mixin private final RunOptions running = new RunOptions();
  @Mixin private final ReportOptions report = new ReportOptions();

  SamplingCommand(Preset preset, Console console, StopSignal stop) {
    this.preset = preset;
    this.console = console;
    this.stop = stop;
  }

  /** Creates the command lines of all three, each with the defaults of its preset. */
  public static List<CommandLine> commandLines(Console console, StopSignal stop) {
    return Stream.of(
            new GenerateCommand(console, stop),
            new GenerateCelebaHqCommand(console, stop),
            new GenerateImageNetCommand(console, stop))
        .map(SamplingCommand::commandLine)
        .toList();
  }

  private static CommandLine commandLine(SamplingCommand command) {
    CommandLine line = new CommandLine(command);
    line.setDefaultValueProvider(new PresetDefaults(command.preset));
    return line;
  }

  /** Returns the options of the first sampler, including those of this command only. */
  EdmOptions complete(EdmOptions options) {
    return options;
  }

  /** Returns the options of the second sampler, including those of this command only. */
  RelayOptions complete(RelayOptions options) {
    return options;
  }

  @Override
  public Integer call() {
    report.apply();
    Downloads downloads = new Downloads(console, report.quiet, stop);
    SamplingJob what = job(downloads);
    SamplingReport output = new SamplingReport(console, report);
    output.header(what);
    SamplingResult result =
        new SamplingRun(what, downloads, output.status(what.rank()), stop).run();
    output.result(result);
    return ExitCode.OK;
  }

  private SamplingJob job(Downloads downloads) {
    Rank rank = Rank.of(console.environment());
    if (job.batch < 1) {
      throw new OptionException("--batch must be at least 1, but is " + job.batch);
    }
    SamplingJob.Target target =
        new SamplingJob.Target(
            job.outdir,
            Optional.ofNullable(job.indir),
            Optional.ofNullable(job.grid),
            Optional.ofNullable(job.npz),
            job.resume ? Existing.KEEP : Existing.REPLACE);
    return new SamplingJob(
        preset.script(),
        Optional.ofNullable(first.network).map(downloads::locate),
        Optional.ofNullable(second.network).map(downloads::locate),
        target,
        Seeds.parse(job.seeds),
        job.seeds,
        job.batch,
        job.classes(),
        job.stages,
        complete(first.options(preset.first())),
        complete(second.options(preset.second())),
        preset.enhancement(),
        runtime(rank, target),
        rank);
  }

  /** Called last, because LibTorch is loaded to determine whether CUDA is available. */
  private SamplingJob.Runtime runtime(Rank rank, SamplingJob.Target target) {
    SamplingJob.requireComplete(
        job.stages,
        Optional.ofNullable(first.network),
        Optional.ofNullable(second.network),
        target);
    OptionalInt threads = running.compute.threads();
    return new SamplingJob.Runtime(
        running.compute.device(rank),
        running.dtype,
        running.compute.numerics,
        running.cudaGraphs,
        running.noise,
        threads,
        running.compute.tf32());
  }
}
