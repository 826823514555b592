// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.nativeconfig.NativeMemory;
import org.relaydiffusion.torch.CudaMemory;
import org.relaydiffusion.torch.DeviceGuard;

/**
 * Trains either stage of the relay. One object is one run in one process; several processes that
 * share a {@link World} train one network together.
 *
 * <pre>{@code
 * try (RunDirectory directory = RunDirectory.numbered(outdir, "faces")) {
 *   Trainer.train(options, World.SINGLE, directory, listener, cancellation);
 * }
 * }</pre>
 *
 * <p>The steps are those of the reference's loop, and so are the ticks, at which progress is
 * reported: the first one is after the first step and saves nothing, the others after every {@code
 * tickKimg} thousand images.
 */
public final class Trainer {
  private static final double NANOS = 1e9;

  private final TrainingOptions options;
  private final World world;
  private final TrainingListener listener;
  private final SaveClock clock;
  private final StepGate gate;
  private final LossCheck lossCheck;
  private final long began = System.nanoTime();
  private int tick;
  private long tickImages;
  private long tickBegan;
  private long maintenanceBegan = began;
  private double lastLoss = Double.NaN;
  private double gradientNorm = Double.NaN;

  private Trainer(
      TrainingOptions options, World world, TrainingListener listener, Cancellation cancellation) {
    this.options = options;
    this.world = world;
    this.listener = listener;
    this.clock = new SaveClock(world, options.saving().stateTime());
    this.gate = new StepGate(world, cancellation, clock);
    this.lossCheck = new LossCheck(world, options.nonFiniteLoss());
  }

  /**
   * Trains until the end of the run or until it is cancelled; then the state is saved.
   *
   * <p>A run is cancelled by the {@code cancellation} of any of its processes, or by interrupting
   * the thread of one: the step is finished, the state is saved, the result is {@link
   * TrainingResult.End#STOPPED}, and the interrupt status of an interrupted thread is set again.
   * Before the first step there is nothing to save, and a {@link
   * org.relaydiffusion.CancelledException} is thrown.
   *
   * <p>On CUDA, TensorFloat-32 and float16 sums are switched off in the whole process, as in the
   * reference; {@link TrainingOptions#tf32()} decides otherwise.
   *
   * <p>If any process cannot read an image of the next step, the state is saved and all processes
   * throw an exception that names the file and the state.
   *
   * @param options of the run, the same in all processes
   * @param world this process among the others
   * @param directory the output of the first process, which remains owned by the caller; null in
   *     the others
   * @param listener receives the progress
   * @param cancellation cancels the run, in any process
   * @return the result, the same in all processes except for its files
   * @throws org.relaydiffusion.FileException if the data or the start cannot be read, or the last
   *     state cannot be written
   * @throws org.relaydiffusion.OptionException if the options do not match the data or each other
   * @throws RdmException also if an image cannot be read, or a loss is not finite and the options
   *     require to stop then
   * @throws org.relaydiffusion.CancelledException if the run is cancelled before the first step
   */
  public static TrainingResult train(
      TrainingOptions options,
      World world,
      @Nullable RunDirectory directory,
      TrainingListener listener,
      Cancellation cancellation) {
    options.batching().check(world.size());
    TrainingPrecision.choose(options, listener);
    Trainer trainer = new Trainer(options, world, listener, cancellation);
    try (DeviceGuard _ = DeviceGuard.on(options.running().device())) {
      return trainer.run(directory);
    } finally {
      trainer.gate.restoreInterrupt();
    }
  }

  private TrainingResult run(@Nullable RunDirectory directory) {
    List<String> said = new ArrayList<>();
    try (ImageFolderDataset dataset = open(options);
        TrainingRun run = new TrainingRun(options, world, dataset)) {
      Progress from = RunStart.apply(options.start(), run, world, options, said::add);
      run.begin(from.images());
      tick = from.tick();
      tickImages = from.tickImages();
      tickBegan = System.nanoTime();
      if (!world.isFirst()) {
        return loop(run, null, null);
      }
      if (directory == null) {
        throw new IllegalArgumentException("the first process requires the run folder");
      }
      try (RunFiles files = new RunFiles(directory, listener, from.images())) {
        said.forEach(files::message);
        describe(files, dataset, run);
        // For the states, and before the first step: large sets take some time.
        RecordedRun _ = run.recorded();
        SampleGrid grid = new SampleGrid(dataset, options.loss(), options.running().device());
        if (options.saving().sampleTicks().isPresent()) {
          files.grid("reals.png", "reals", from.images(), grid::reals);
        }
        return loop(run, files, grid);
      }
    }
  }

  /** Opens the data set of a run's options. */
  static ImageFolderDataset open(TrainingOptions options) {
    TrainingData data = options.data();
    return ImageFolderDataset.open(
        data.path(),
        new DatasetOptions(
            data.labels(),
            data.xflip(),
            data.maxSize(),
            0,
            data.cache(),
            OptionalInt.empty(),
            data.without()));
  }

  private void describe(RunFiles files, ImageFolderDataset dataset, TrainingRun run) {
    files.message(
        "data: %s, %s images of %s x %s, %s channels, %s"
            .formatted(
                options.data().path(),
                dataset.size(),
                dataset.resolution(),
                dataset.resolution(),
                dataset.channels(),
                dataset.labelDim() == 0 ? "no classes" : dataset.labelDim() + " classes"));
    files.message(
        String.format(
            Locale.ROOT,
            "network: %s, %,d parameters, %s, %s",
            options.network().className(),
            run.network().parameterCount(),
            options.running().device(),
            options.running().dtype().torchName()));
    files.message(
        "training: batch %s = %s process%s x %s round%s x %s images, %s kimg to go"
            .formatted(
                options.batching().batch(),
                world.size(),
                world.size() == 1 ? "" : "es",
                options.batching().rounds(world.size()),
                options.batching().rounds(world.size()) == 1 ? "" : "s",
                options.batching().round(world.size()),
                Math.max(0, Math.round(options.schedule().totalKimg() - run.images() / 1e3))));
  }

  private TrainingResult loop(
      TrainingRun run, @Nullable RunFiles files, @Nullable SampleGrid grid) {
    boolean trimmed = false;
    if (!isDone(run.images())) {
      gate.first(run);
    }
    listener.begun();
    while (true) {
      boolean done = isDone(run.images());
      if (!done) {
        GradientNorm norm = new GradientNorm(run.scaler().scale());
        boolean reported = files != null && endsTick(run.images() + options.batching().batch());
        run.observe(reported ? norm : StepObserver.NONE);
        run.step();
        gradientNorm = norm.value();
        if (!trimmed) {
          // Return the memory that only the first step needed (scratch memory of kernels) to the
          // system.
          NativeMemory.trim();
          trimmed = true;
        }
        done = isDone(run.images());
        listener.step(run.images(), options.schedule().totalImages());
      }
      StepGate.Verdict verdict = gate.next(run, done);
      boolean stopping = verdict.ends();
      boolean whole = endsTick(run.images());
      if (!whole && !stopping) {
        if (verdict == StepGate.Verdict.SAVE) {
          saveWithinTick(run, files);
        }
        continue;
      }
      if (whole) {
        finishTick(run, files, grid, done, verdict == StepGate.Verdict.SAVE);
      }
      if (done || stopping) {
        return finish(run, files, done, whole, verdict);
      }
    }
  }

  private boolean isDone(long images) {
    return images >= options.schedule().totalImages();
  }

  /** Returns whether the tick ends at this number of images. */
  private boolean endsTick(long images) {
    return isDone(images) || tick == 0 || images >= tickImages + options.saving().tickKimg() * 1000;
  }

  /** Ends a tick: reports it, and writes the files that are due. */
  private void finishTick(
      TrainingRun run,
      @Nullable RunFiles files,
      @Nullable SampleGrid grid,
      boolean done,
      boolean timeIsUp) {
    long now = System.nanoTime();
    LossStatistics.Counted counted = run.takeLosses();
    Moments mine = counted.moments();
    double[] sums =
        world.sums(mine.count(), mine.sum(), mine.squares(), counted.rounds(), counted.nonFinite());
    Moments losses = new Moments(sums[0], sums[1], sums[2]);
    lastLoss = losses.mean();
    Optional<String> complaint = LossCheck.complaint(sums[3], sums[4]);
    TickReport report =
        new TickReport(
            tick,
            run.images(),
            lastLoss,
            (now - began) / NANOS,
            (now - tickBegan) / NANOS,
            (tickBegan - maintenanceBegan) / NANOS,
            run.images() - tickImages,
            HostMemory.resident(),
            CudaMemory.takePeak(options.running().device()),
            run.learningRate(),
            gradientNorm);
    maintenanceBegan = now;
    Saving saving = options.saving();
    boolean saves =
        timeIsUp
            || (saving.stateTicks().isPresent()
                && (done || (tick != 0 && isDue(saving.stateTicks(), tick))));
    tick++;
    tickImages = run.images();
    if (files != null) {
      files.tick(report, losses);
      complaint.ifPresent(files::warning);
    }
    lossCheck.beforeSaving(run, complaint, () -> lastState(files));
    // Every process provides its generators, regardless of which one writes them.
    CapturedState state = saves ? CapturedState.whole(run, world, progress(run), options) : null;
    try {
      if (files != null) {
        showNetwork(run, files, grid, done);
      }
    } catch (RuntimeException e) {
      if (state != null) {
        state.close();
      }
      throw e;
    }
    if (state != null) {
      // Written last: a run whose last state exists has everything else, and need not be resumed
      // for it.
      write(state, files);
    }
    tickBegan = System.nanoTime();
  }

  /** Writes the snapshot and the grid of a tick, if they are due. */
  private void showNetwork(
      TrainingRun run, RunFiles files, @Nullable SampleGrid grid, boolean done) {
    Saving saving = options.saving();
    boolean last = done || tick == 1;
    if (saving.snapshotTicks().isPresent() && (done || isDue(saving.snapshotTicks(), tick - 1))) {
      files.snapshot(CapturedState.average(run), saving.snapshotFormat());
    }
    if (grid != null
        && saving.sampleTicks().isPresent()
        && (last || isDue(saving.sampleTicks(), tick - 1))) {
      files.grid(
          String.format(Locale.ROOT, "fakes%06d.png", run.images() / 1000),
          "fakes",
          run.images(),
          () -> grid.fakes(run.average()));
    }
  }

  /** Saves a state between two ticks; called by all processes. */
  private void saveWithinTick(TrainingRun run, @Nullable RunFiles files) {
    LossStatistics.Counted counted = run.peekLosses();
    double[] sums = world.sums(counted.rounds(), counted.nonFinite());
    lossCheck.beforeSaving(run, LossCheck.complaint(sums[0], sums[1]), () -> lastState(files));
    write(CapturedState.whole(run, world, progress(run), options), files);
  }

  private void write(CapturedState state, @Nullable RunFiles files) {
    if (files == null) {
      state.close();
    } else {
      files.state(state, options.saving().keptStates());
    }
    clock.saved();
  }

  private static boolean isDue(OptionalInt every, int tick) {
    return every.isPresent() && tick % every.getAsInt() == 0;
  }

  private Progress progress(TrainingRun run) {
    return new Progress(run.images(), tick, tickImages);
  }

  private TrainingResult finish(
      TrainingRun run,
      @Nullable RunFiles files,
      boolean done,
      boolean whole,
      StepGate.Verdict verdict) {
    if (!done) {
      if (whole) {
        write(CapturedState.whole(run, world, progress(run), options), files);
      } else {
        saveWithinTick(run, files);
      }
    }
    boolean written = files == null || files.drain();
    if (verdict == StepGate.Verdict.FAIL) {
      throw gate.failed("; " + world.fromFirst(files == null ? null : saved(files, written)));
    }
    if (!written && files != null) {
      throw new RdmException(saved(files, false));
    }
    world.barrier();
    return new TrainingResult(
        run.images(),
        done ? TrainingResult.End.FINISHED : TrainingResult.End.STOPPED,
        files == null ? Optional.empty() : files.state(),
        files == null ? Optional.empty() : files.snapshot(),
        (System.nanoTime() - began) / NANOS,
        whole ? lastLoss : Double.NaN);
  }

  /** Returns the last complete state to resume from, in the first process. */
  private Optional<Path> lastState(@Nullable RunFiles files) {
    if (files == null) {
      return Optional.empty();
    }
    files.drain();
    return files
        .state()
        .or(() ->
            options.start() instanceof TrainingOptions.Start.Resume(Path state)
                ? Optional.of(state)
                : Optional.empty());
  }

  /** Returns the text about the last state for the exception of a failed run. */
  private String saved(RunFiles files, boolean written) {
    String which = written ? "the state is saved as " : "the last complete state is ";
    String failure = written ? "" : files.failure().map(f -> " (" + f + ")").orElse("");
    return (written
            ? ""
            : "the last state or snapshot of the run could not be written" + failure + "; ")
        + lastState(files).map(f -> which + f).orElse("this run has no state");
  }
}
