package org.relaydiffusion.launch.command;

import java.util.concurrent.Callable;
import org.relaydiffusion.diffusion.train.TrainingResult;
import org.relaydiffusion.launch.Console;
import org.relaydiffusion.launch.ExitCode;
import org.relaydiffusion.launch.Json;
import org.relaydiffusion.launch.StopExitCode;
import org.relaydiffusion.launch.StopSignal;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.rank.Rendezvous;
import org.relaydiffusion.launch.rank.RunAttempt;
import org.relaydiffusion.launch.training.TrainingJob;
import org.relaydiffusion.launch.training.TrainingProcess;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rdm train}. */
@Command(
    name = "train",
    description = {
      "Train either stage of the relay, on one process or many ('rdm launch').",
      "A SIGTERM or Ctrl-C ends the step, saves the state, and says how to go on."
    })
final class TrainCommand implements Callable<Integer> {
  private final Console console;
  private final StopSignal stop;

  @Mixin private final TrainingDataOptions data = new TrainingDataOptions();
  @Mixin private final TrainingNetworkOptions network = new TrainingNetworkOptions();
  @Mixin private final TrainingScheduleOptions schedule = new TrainingScheduleOptions();
  @Mixin private final TrainingFileOptions files = new TrainingFileOptions();
  @Mixin private final TrainingRunOptions running = new TrainingRunOptions();
  @Mixin private final ReportOptions report = new ReportOptions();

  TrainCommand(Console console, StopSignal stop) {
    this.console = console;
    this.stop = stop;
  }

  @Override
  public Integer call() {
    report.apply();
    Rank rank = Rank.of(console.environment());
    TrainingJob job = job(rank);
    if (running.dryRun) {
      if (rank.isFirst()) {
        console.out().println(Json.write(job.resolved()));
      }
      return ExitCode.OK;
    }
    TrainingReport output = new TrainingReport(console, report, rank);
    TrainingResult result = new TrainingProcess(job, output, stop).run();
    output.result(result);
    return switch (result.end()) {
      case FINISHED -> ExitCode.OK;
      case STOPPED -> StopExitCode.of(console.environment());
    };
  }

  private TrainingJob job(Rank rank) {
    schedule.check();
    return new TrainingJob(
        rank,
        rank.isDistributed() ? Rendezvous.of(console.environment(), rank) : Rendezvous.LOCAL,
        RunAttempt.of(console.environment()),
        new TrainingJob.Target(data.outdir, data.description, data.noSubfolder),
        data.data(),
        new TrainingJob.Network(
            network.architecture,
            network.changes(),
            network.preconditioning.className(),
            network.preconditioning.text()),
        network.loss(),
        network.augmentation(),
        schedule.schedule(),
        schedule.batching(),
        running.scaling(),
        running.running(rank),
        running.typeName(),
        files.saving(),
        schedule.start(),
        schedule.seed(),
        running.compute.threads(),
        running.benchmark);
  }
}
