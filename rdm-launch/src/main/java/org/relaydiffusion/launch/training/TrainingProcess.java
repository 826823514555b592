// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.train.RunDirectory;
import org.relaydiffusion.diffusion.train.StepThreads;
import org.relaydiffusion.diffusion.train.StoredState;
import org.relaydiffusion.diffusion.train.Trainer;
import org.relaydiffusion.diffusion.train.TrainingData;
import org.relaydiffusion.diffusion.train.TrainingListener;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.diffusion.train.TrainingResult;
import org.relaydiffusion.diffusion.train.World;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.launch.command.InterruptedRunException;
import org.relaydiffusion.launch.command.Json;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;

/** One process of a training run, from the job to the result. */
public final class TrainingProcess {
  private static final String BETWEEN_NAMES = "\0";

  private TrainingJob job;
  private final TrainingListener listener;
  private final StopSignal stop;

  /** Creates a process for {@code job}. */
  public TrainingProcess(TrainingJob job, TrainingListener listener, StopSignal stop) {
    this.job = job;
    this.listener = listener;
    this.stop = stop;
  }

  /**
   * Trains; called by every process of the run.
   *
   * @return the result, the same in all processes
   * @throws InterruptedRunException if it was asked to stop before the first step, or its peers
   *     ended before the step in which it was asked was finished
   */
  public TrainingResult run() {
    try (StopPhases phases = new StopPhases(listener, stop)) {
      return run(phases);
    } catch (CancelledException e) {
      throw new InterruptedRunException("stopped before the first step: nothing was trained", e);
    } catch (TorchException e) {
      if (!stop.isRequested()) {
        throw e;
      }
      throw new InterruptedRunException(
          "stopped without saving, because another process ended first: " + e.getMessage(), e);
    }
  }

  private TrainingResult run(StopPhases phases) {
    job.batching().check(job.rank().worldSize());
    job.threads().ifPresent(NativeThreads::setThreads);
    Torch.requireUsable(job.running().device());
    if (job.benchmark()) {
      Torch.benchmarkCudnn();
    }
    try (Peers peers =
        Peers.join(
            job.rank(), job.rendezvous(), job.running().device(), job.ddp(), phases::waiting)) {
      World world = peers.world();
      job = job.without(leftOut(world));
      return world.isFirst() ? first(world, phases) : other(world, phases);
    }
  }

  /**
   * The images that the first process has found to be bad. They are not determined by each process
   * separately: if one could read an image that another cannot, they would train on different sets.
   */
  private Set<String> leftOut(World world) {
    String names = world.fromFirst(String.join(BETWEEN_NAMES, job.data().without()));
    return names == null || names.isEmpty() ? Set.of() : Set.of(names.split(BETWEEN_NAMES));
  }

  /** The first process decides, and owns the folder. */
  private TrainingResult first(World world, StopPhases phases) {
    while (true) {
      RunPlan plan = RunPlan.of(job);
      Optional<TrainingResult> finished = plan.finished();
      if (finished.isPresent()) {
        plan.said().forEach(listener::message);
        return nothingToDo(world, finished.get(), plan.options());
      }
      chooseThreads(plan.threads());
      Optional<RunDirectory> taken = plan.take(listener::message);
      if (taken.isPresent()) {
        try (RunDirectory directory = taken.get()) {
          return train(world, plan, directory, phases);
        }
      }
    }
  }

  private TrainingResult nothingToDo(World world, TrainingResult result, TrainingOptions options) {
    Decision.FINISHED.send(world);
    listener.message(
        String.format(
            Locale.ROOT,
            "the run is already finished: %s has %.3f of %.3f kimg",
            result.state().map(Path::toString).orElse(""),
            result.images() / 1e3,
            options.schedule().totalKimg()));
    return result;
  }

  private TrainingResult train(
      World world, RunPlan plan, RunDirectory directory, StopPhases phases) {
    new Decision(plan.state().map(StoredState::file), plan.options().seed()).send(world);
    listener.message("run: " + directory.path());
    LoadOptions running = job.running();
    listener.message(
        "device: %s, %s, %s"
            .formatted(
                running.device(),
                running.dtype().torchName(),
                running.numerics().name().toLowerCase(Locale.ROOT)));
    writeOptions(directory, plan.resolved());
    return Trainer.train(plan.options(), world, directory, phases, phases.cancellation());
  }

  /** The other processes receive the decision of the first. */
  private TrainingResult other(World world, StopPhases phases) {
    try (ImageFolderDataset dataset = open(job)) {
      chooseThreads(StepThreads.of(job.task(), dataset, world.size()));
    }
    Decision decision = Decision.receive(world);
    if (decision.isFinished()) {
      return new TrainingResult(
          0, TrainingResult.End.FINISHED, Optional.empty(), Optional.empty(), 0, Double.NaN);
    }
    TrainingOptions options = job.options(job.from(decision.state()), decision.seed());
    return Trainer.train(options, world, null, phases, phases.cancellation());
  }

  private void chooseThreads(OptionalInt chosen) {
    if (job.threads().isPresent() || System.getenv("OMP_NUM_THREADS") != null) {
      return;
    }
    chosen.ifPresent(threads -> {
      NativeThreads.setThreads(threads);
      listener.message(
          "threads: %s, because the network is small (use --threads=N for another number)"
              .formatted(threads));
    });
  }

  private static void writeOptions(RunDirectory directory, Map<String, @Nullable Object> resolved) {
    byte[] text = (Json.write(resolved) + "\n").getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(
        directory.file("training_options.json"), out -> out.write(ByteBuffer.wrap(text)));
  }

  static ImageFolderDataset open(TrainingJob job) {
    TrainingData data = job.data();
    return ImageFolderDataset.open(
        data.path(),
        new DatasetOptions(
            data.labels(),
            data.xflip(),
            data.maxSize(),
            0,
            false,
            OptionalInt.empty(),
            data.without()));
  }
}
