package org.relaydiffusion.launch.training;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.train.ResolvedOptions;
import org.relaydiffusion.diffusion.train.RunDirectory;
import org.relaydiffusion.diffusion.train.RunStart;
import org.relaydiffusion.diffusion.train.StepThreads;
import org.relaydiffusion.diffusion.train.Trainer;
import org.relaydiffusion.diffusion.train.TrainingListener;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.diffusion.train.TrainingResult;
import org.relaydiffusion.diffusion.train.World;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.launch.command.InterruptedRunException;
import org.relaydiffusion.launch.command.Json;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;

/** One process of a training run, from the command line to the result. */
public final class TrainingProcess {
  private static final long SEEDS = 1L << 31;

  private final TrainingJob job;
  private final TrainingListener listener;
  private final StopSignal stop;

  /** A process that does {@code job}. */
  public TrainingProcess(TrainingJob job, TrainingListener listener, StopSignal stop) {
    this.job = job;
    this.listener = listener;
    this.stop = stop;
  }

  /**
   * What the first process has decided.
   *
   * @param folder of the run
   * @param state to go on from, if there is one
   * @param seed of the run
   */
  private record Decision(RunDirectory folder, @Nullable Path state, long seed) {}

  /**
   * Trains; every process of the run calls this.
   *
   * @throws InterruptedRunException when it was asked to stop before the first step, or its peers
   *     ended before the step was done in which it was asked
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
        Peers.join(job.rank(), job.rendezvous(), job.running().device(), phases::waiting)) {
      World world = peers.world();
      int resolution;
      String name;
      try (ImageFolderDataset dataset = open(job)) {
        resolution = dataset.resolution();
        name = dataset.name();
        TrainingOptions fresh = job.options(new TrainingOptions.Start.Fresh(), 0, resolution);
        if (world.isFirst()) {
          // What cannot be trained is refused before there is a folder for it.
          ResolvedOptions.of(fresh, dataset, world.size());
        }
        chooseThreads(fresh, dataset, world.size());
      }
      Decision mine = world.isFirst() ? decide(name) : null;
      String folder = world.fromFirst(mine == null ? null : mine.folder().path().toString());
      String state =
          world.fromFirst(mine == null || mine.state() == null ? null : mine.state().toString());
      String seed = world.fromFirst(mine == null ? null : Long.toString(mine.seed()));
      TrainingOptions options =
          job.options(
              start(state == null ? null : Path.of(state)),
              Long.parseLong(Objects.requireNonNull(seed)),
              resolution);
      RunDirectory directory = RunDirectory.of(Path.of(Objects.requireNonNull(folder)));
      if (world.isFirst()) {
        listener.message("run: " + directory.path());
        writeOptions(directory, options);
      }
      return Trainer.train(options, world, directory, phases, phases::isStopping);
    }
  }

  private void chooseThreads(TrainingOptions options, ImageFolderDataset dataset, int processes) {
    if (job.threads().isPresent() || System.getenv("OMP_NUM_THREADS") != null) {
      return;
    }
    StepThreads.of(options, dataset, processes)
        .ifPresent(threads -> {
          NativeThreads.setThreads(threads);
          listener.message(
              "threads: %s, because the network is small (--threads=N sets another number)"
                  .formatted(threads));
        });
  }

  private TrainingOptions.Start start(@Nullable Path state) {
    if (state != null) {
      return new TrainingOptions.Start.Resume(state);
    }
    return job.start() instanceof TrainingJob.Start.Transfer(Path checkpoint)
        ? new TrainingOptions.Start.Transfer(checkpoint)
        : new TrainingOptions.Start.Fresh();
  }

  private Decision decide(String dataName) {
    TrainingJob.Target target = job.target();
    Optional<RunDirectory> before = earlierAttempt();
    if (before.isPresent()) {
      Path state = before.get().latestState().orElseGet(this::givenState);
      return new Decision(before.get(), state, seed(state));
    }
    if (job.start() instanceof TrainingJob.Start.Latest) {
      Optional<RunDirectory> last =
          target.own()
              ? Optional.of(RunDirectory.of(target.outdir()))
              : RunDirectory.latest(target.outdir());
      if (last.isPresent() && last.get().latestState().isPresent()) {
        Path state = last.get().latestState().orElseThrow();
        return new Decision(marked(last.get()), state, seed(state));
      }
    }
    RunDirectory folder =
        target.own()
            ? RunDirectory.of(target.outdir())
            : RunDirectory.numbered(target.outdir(), job.folderName(dataName));
    Path state = givenState();
    return new Decision(marked(folder), state, seed(state));
  }

  /** The folder that this run made before it was started again. */
  private Optional<RunDirectory> earlierAttempt() {
    return job.attempt().isRestart()
        ? RunDirectory.ofRun(job.target().outdir(), job.attempt().runId())
        : Optional.empty();
  }

  private RunDirectory marked(RunDirectory folder) {
    folder.mark(job.attempt().runId());
    return folder;
  }

  private @Nullable Path givenState() {
    return job.start() instanceof TrainingJob.Start.Resume(Path state) ? state : null;
  }

  private long seed(@Nullable Path state) {
    if (job.seed().isPresent()) {
      return job.seed().getAsLong();
    }
    return state == null
        ? ThreadLocalRandom.current().nextLong(SEEDS)
        : RunStart.seedOf(state).orElseGet(() -> ThreadLocalRandom.current().nextLong(SEEDS));
  }

  private void writeOptions(RunDirectory directory, TrainingOptions options) {
    Map<String, @Nullable Object> resolved;
    try (ImageFolderDataset dataset = open(job)) {
      resolved = ResolvedOptions.of(options, dataset, job.rank().worldSize());
    }
    Path file = directory.file("training_options.json");
    try {
      Files.write(file, (Json.write(resolved) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new FileException(file, "cannot be written: " + AtomicFile.reason(e), e);
    }
  }

  static ImageFolderDataset open(TrainingJob job) {
    TrainingOptions.Data data = job.data();
    return ImageFolderDataset.open(
        data.path(),
        new DatasetOptions(
            data.labels(), data.xflip(), data.maxSize(), 0, false, OptionalInt.empty()));
  }
}
