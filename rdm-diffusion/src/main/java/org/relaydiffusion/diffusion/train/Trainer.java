package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.nativeconfig.NativeMemory;
import org.relaydiffusion.torch.CudaMemory;

/**
 * Trains either stage of the relay. One object is one run in one process; several processes that
 * share a {@link World} train one network together.
 *
 * <pre>{@code
 * try (RunDirectory directory = RunDirectory.numbered(outdir, "faces")) {
 *   Trainer.train(options, World.SINGLE, directory, listener, () -> false);
 * }
 * }</pre>
 *
 * <p>The steps are those of the reference's loop; so are the ticks, in which it says how it goes:
 * the first one comes after the first step and saves nothing, the others every {@code tickKimg}
 * thousand images.
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
      TrainingOptions options, World world, TrainingListener listener, BooleanSupplier stop) {
    this.options = options;
    this.world = world;
    this.listener = listener;
    this.clock = new SaveClock(world, options.saving().stateTime());
    this.gate = new StepGate(world, stop, clock);
    this.lossCheck = new LossCheck(world, options.nonFiniteLoss());
  }

  /**
   * Trains until the run's length is reached or it is asked to stop; then the state is saved.
   *
   * <p>Interrupting the thread of any process asks the run to stop: the step is finished, the state
   * saved, and the result says {@link TrainingResult.End#STOPPED}; the thread's interrupted status
   * is set again. Before the first step there is nothing to save, and it ends with a {@link
   * org.relaydiffusion.CancelledException}.
   *
   * <p>When a picture of the next step cannot be read, whichever process it belongs to, the state
   * is saved and every process fails with a message that names the file and the state.
   *
   * @param world this process among the others; every process has the same options
   * @param directory where the first process writes, which stays the caller's; the others need none
   * @param listener hears how it goes
   * @param stop asked after every step, in every process: one that says yes stops them all
   * @throws org.relaydiffusion.FileException when the data or the start cannot be read, or the last
   *     state cannot be written
   * @throws org.relaydiffusion.OptionException when the options do not fit the data or one another
   * @throws RdmException also when a picture cannot be read, or a loss is not finite and the
   *     options say to stop then
   * @throws org.relaydiffusion.CancelledException when the thread of some process is interrupted
   *     before the first step
   */
  public static TrainingResult train(
      TrainingOptions options,
      World world,
      @Nullable RunDirectory directory,
      TrainingListener listener,
      BooleanSupplier stop) {
    options.batching().check(world.size());
    Trainer trainer = new Trainer(options, world, listener, stop);
    try {
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
        throw new IllegalArgumentException("the first process needs the run's folder");
      }
      try (RunFiles files = new RunFiles(directory, listener, from.images())) {
        said.forEach(files::message);
        describe(files, dataset, run);
        // For the states, and before the first step: a set of many files takes its time.
        RecordedRun _ = run.recorded();
        SampleGrid grid = new SampleGrid(dataset, options.loss(), options.running().device());
        if (options.saving().sampleTicks().isPresent()) {
          files.grid("reals.png", "reals", from.images(), grid::reals);
        }
        return loop(run, files, grid);
      }
    }
  }

  /** The data set that a run's options name. */
  static ImageFolderDataset open(TrainingOptions options) {
    TrainingOptions.Data data = options.data();
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
          // What the first step needed once (kernels' scratch memory) goes back to the system.
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

  /** Whether the tick is over after so many images. */
  private boolean endsTick(long images) {
    return isDone(images) || tick == 0 || images >= tickImages + options.saving().tickKimg() * 1000;
  }

  /** The end of a tick: what is said, and the files that are due. */
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
    TrainingOptions.Saving saving = options.saving();
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
    // Every process hands in its generators, whoever writes them.
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
      // Last: a run whose last state is there has everything else, and need not be resumed for it.
      write(state, files);
    }
    tickBegan = System.nanoTime();
  }

  /** The snapshot and the grid of a tick, as far as they are due. */
  private void showNetwork(
      TrainingRun run, RunFiles files, @Nullable SampleGrid grid, boolean done) {
    TrainingOptions.Saving saving = options.saving();
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

  /** Saves a state between two ticks; every process calls this. */
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

  /** What there is to resume from, in the first process: the last state that is whole. */
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

  /** What a run that fails says of its last state. */
  private String saved(RunFiles files, boolean written) {
    String which = written ? "the state is saved as " : "the last whole state is ";
    String failure = written ? "" : files.failure().map(f -> " (" + f + ")").orElse("");
    return (written ? "" : "the run's last state or snapshot could not be written" + failure + "; ")
        + lastState(files).map(f -> which + f).orElse("there is no state of this run");
  }
}
