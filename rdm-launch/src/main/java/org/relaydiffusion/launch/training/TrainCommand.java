// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.data.BadImages;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.diffusion.train.TrainingResult;
import org.relaydiffusion.launch.command.BadImagesOption;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.Converters;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.command.StopExitCode;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.download.Downloads;
import org.relaydiffusion.launch.download.SourceFile;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.rank.Rendezvous;
import org.relaydiffusion.launch.rank.RunAttempt;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.Torch;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rdm train}. */
@Command(
    name = "train",
    description = {
      "Train either stage of the relay, with one process or several ('rdm launch').",
      "On SIGTERM or Ctrl-C, finishes the step, saves the state, and prints how to resume."
    })
public final class TrainCommand implements Callable<Integer> {
  private final Console console;
  private final StopSignal stop;

  @Mixin private final TrainingDataOptions data = new TrainingDataOptions();
  @Mixin private final BadImagesOption badImages = new BadImagesOption();
  @Mixin private final TrainingNetworkOptions network = new TrainingNetworkOptions();
  @Mixin private final TrainingScheduleOptions schedule = new TrainingScheduleOptions();
  @Mixin private final TrainingFileOptions files = new TrainingFileOptions();
  @Mixin private final TrainingRunOptions running = new TrainingRunOptions();
  @Mixin private final TrackerOptions tracker = new TrackerOptions();
  @Mixin private final ReportOptions report = new ReportOptions();

  private TrainCommand(Console console, StopSignal stop) {
    this.console = console;
    this.stop = stop;
  }

  /** Creates the command line, with the types of its options. */
  public static CommandLine commandLine(Console console, StopSignal stop) {
    CommandLine line = new CommandLine(new TrainCommand(console, stop));
    Converters.register(line, Preconditioning.class, Preconditioning::parse);
    line.setDefaultValueProvider(new TrainingDefaults());
    return line;
  }

  @Override
  public Integer call() {
    report.apply();
    Rank rank = Rank.of(console.environment());
    Downloads downloads = new Downloads(console, report.quiet, stop);
    TrainingJob asked = job(rank, downloads);
    Optional<TrainingJob> looked = look(asked, rank);
    if (looked.isEmpty()) {
      return ExitCode.OK;
    }
    TrainingJob job = looked.get();
    TrainingReport output = new TrainingReport(console, report, rank, job.data().without().size());
    tracker.said().ifPresent(output::message);
    running.warning(job.running()).filter(_ -> rank.isFirst()).ifPresent(output::warning);
    if (job.start() instanceof TrainingJob.Start.Transfer(SourceFile checkpoint)) {
      downloads.fetch(checkpoint);
    }
    if (running.dryRun) {
      if (rank.isFirst()) {
        console.json(dryRun(job, output));
      }
      return ExitCode.OK;
    }
    TrainingResult result = new TrainingProcess(job, output, stop).run();
    output.result(result, job.running());
    return switch (result.end()) {
      case FINISHED -> ExitCode.OK;
      case STOPPED -> StopExitCode.of(console.environment());
    };
  }

  /**
   * Checks all images. This is done by the first process, which sends the list of skipped images to
   * the others.
   *
   * @return empty if nothing else was requested
   */
  private Optional<TrainingJob> look(TrainingJob job, Rank rank) {
    if (!rank.isFirst()) {
      return badImages.mode == BadImages.LIST ? Optional.empty() : Optional.of(job);
    }
    return badImages
        .look(job.data().path(), DatasetOptions.DEFAULT, "train", console, report)
        .map(check -> job.without(check.names()));
  }

  /** Performs the checks of a run and returns the options that it would have. */
  private static Map<String, @Nullable Object> dryRun(TrainingJob job, TrainingReport output) {
    Torch.requireUsable(job.running().device());
    RunPlan plan = RunPlan.of(job);
    plan.place().requireFree();
    plan.said().forEach(output::message);
    return plan.resolved();
  }

  private TrainingJob job(Rank rank, Downloads downloads) {
    schedule.check();
    network.check(data.conditional);
    data.check(schedule.resume != null);
    LoadOptions runs = running.running(rank);
    TrainingOptions.Builder task =
        TrainingOptions.builder(data.data)
            .data(data.data())
            .network(network.network(running.float16))
            .loss(network.loss())
            .schedule(schedule.schedule())
            .batching(schedule.batching())
            .scaling(running.scaling())
            .running(runs)
            .saving(files.saving())
            .nonFiniteLoss(running.nonFiniteLoss())
            .seed(0);
    network.augmentation().ifPresentOrElse(task::augment, task::noAugment);
    running.compute.tf32().ifPresent(task::tf32);
    TrainingJob.Names names =
        new TrainingJob.Names(
            network.architecture.text(),
            network.preconditioning.name(),
            running.typeName(),
            data.description);
    return new TrainingJob(
        rank,
        rank.isDistributed() ? Rendezvous.of(console.environment(), rank) : Rendezvous.local(),
        RunAttempt.of(console.environment()),
        new TrainingJob.Target(data.outdir, names, data.noSubfolder, data.overwrite),
        task.build(),
        schedule.start(downloads),
        schedule.seed(),
        running.compute.threads(),
        running.benchmark,
        running.ddp(runs));
  }
}
