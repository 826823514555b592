package org.relaydiffusion.launch.command;

import java.util.Optional;
import java.util.concurrent.Callable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.random.Seeds;
import org.relaydiffusion.launch.Console;
import org.relaydiffusion.launch.ExitCode;
import org.relaydiffusion.launch.StopSignal;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.sampling.SamplingJob;
import org.relaydiffusion.launch.sampling.SamplingJob.Existing;
import org.relaydiffusion.launch.sampling.SamplingResult;
import org.relaydiffusion.launch.sampling.SamplingRun;
import picocli.CommandLine.Mixin;

/** What the three sampling commands have in common; they differ in their {@link Preset}. */
abstract class SamplingCommand implements Callable<Integer> {
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

  /** The preset whose defaults count. */
  Preset preset() {
    return preset;
  }

  /** The first sampler's options, with those that only this command has. */
  EdmOptions complete(EdmOptions options) {
    return options;
  }

  /** The second sampler's options, with those that only this command has. */
  RelayOptions complete(RelayOptions options) {
    return options;
  }

  @Override
  public Integer call() {
    report.apply();
    SamplingJob what = job();
    SamplingReport output = new SamplingReport(console, report);
    output.header(what);
    SamplingResult result = new SamplingRun(what, output.status(what.rank()), stop).run();
    output.result(result);
    return ExitCode.OK;
  }

  private SamplingJob job() {
    Rank rank = Rank.of(console.environment());
    if (job.batch < 1) {
      throw new OptionException("--batch must be at least 1, but is " + job.batch);
    }
    if (job.classLabel != null && job.classLabel < 0) {
      throw new OptionException("--class must be at least 0, but is " + job.classLabel);
    }
    return new SamplingJob(
        preset.script(),
        Optional.ofNullable(first.network),
        Optional.ofNullable(second.network),
        new SamplingJob.Target(
            job.outdir,
            Optional.ofNullable(job.indir),
            Optional.ofNullable(job.grid),
            job.resume ? Existing.KEEP : Existing.REPLACE),
        Seeds.parse(job.seeds),
        job.seeds,
        job.batch,
        job.label(),
        job.stages,
        complete(first.options(preset.first())),
        complete(second.options(preset.second())),
        preset.enhancement(),
        new SamplingJob.Runtime(
            running.compute.device(rank),
            running.dtype,
            running.compute.numerics,
            running.compute.threads()),
        rank);
  }
}
