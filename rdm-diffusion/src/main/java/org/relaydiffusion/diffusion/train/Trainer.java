package org.relaydiffusion.diffusion.train;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.nativeconfig.NativeMemory;

/**
 * Trains either stage of the relay. One object is one run in one process; several processes that
 * share a {@link World} train one network together.
 *
 * <pre>{@code
 * Trainer.train(options, World.SINGLE, RunDirectory.numbered(outdir, "faces"), listener, () -> false);
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
  private final BooleanSupplier stop;
  private final long began = System.nanoTime();
  private int tick;
  private long tickImages;
  private long tickBegan;
  private long maintenanceBegan = began;
  private double lastLoss = Double.NaN;

  private Trainer(
      TrainingOptions options, World world, TrainingListener listener, BooleanSupplier stop) {
    this.options = options;
    this.world = world;
    this.listener = listener;
    this.stop = stop;
  }

  /**
   * Trains until the run's length is reached or it is asked to stop; then the state is saved.
   *
   * @param world this process among the others; every process has the same options
   * @param directory where the first process writes; the others' is not used
   * @param listener hears how it goes
   * @param stop asked after every step, in every process: one that says yes stops them all
   * @throws org.relaydiffusion.FileException when the data or the start cannot be read, or the last
   *     state cannot be written
   * @throws org.relaydiffusion.OptionException when the options do not fit the data or one another
   */
  public static TrainingResult train(
      TrainingOptions options,
      World world,
      RunDirectory directory,
      TrainingListener listener,
      BooleanSupplier stop) {
    options.batching().check(world.size());
    return new Trainer(options, world, listener, stop).run(directory);
  }

  private TrainingResult run(RunDirectory directory) {
    try (ImageFolderDataset dataset = open(options);
        TrainingRun run = new TrainingRun(options, world, dataset)) {
      Progress from = RunStart.apply(options.start(), run, world, options, listener);
      run.begin(from.images());
      tick = from.tick();
      tickImages = from.tickImages();
      tickBegan = System.nanoTime();
      if (!world.isFirst()) {
        return loop(run, null, null);
      }
      try (RunFiles files = new RunFiles(directory, listener, from.images())) {
        describe(files, dataset, run);
        SampleGrid grid = new SampleGrid(dataset, options.loss(), options.running().device());
        if (options.saving().sampleTicks().isPresent()) {
          files.grid("reals.png", "reals", from.images(), grid.reals());
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
            data.labels(), data.xflip(), data.maxSize(), 0, data.cache(), OptionalInt.empty()));
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
        String.format(Locale.ROOT, "network: %s, %,d parameters, %s, %s", 
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
    while (true) {
      boolean done = run.images() >= options.schedule().totalImages();
      if (!done) {
        run.step();
        if (!trimmed) {
          // What the first step needed once (kernels' scratch memory) goes back to the system.
          NativeMemory.trim();
          trimmed = true;
        }
        done = run.images() >= options.schedule().totalImages();
        listener.step(run.images(), (long) options.schedule().totalImages());
      }
      boolean stopping = world.any(stop.getAsBoolean());
      boolean due = tick == 0 || run.images() >= tickImages + options.saving().tickKimg() * 1000;
      if (!done && !due && !stopping) {
        continue;
      }
      boolean whole = done || due;
      if (whole) {
        finishTick(run, files, grid, done);
      }
      if (done || stopping) {
        return finish(run, files, done, whole);
      }
    }
  }

  /** The end of a tick: what is said, and the files that are due. */
  private void finishTick(
      TrainingRun run, @Nullable RunFiles files, @Nullable SampleGrid grid, boolean done) {
    long now = System.nanoTime();
    Moments mine = run.takeLosses();
    double[] sums = world.sums(mine.count(), mine.sum(), mine.squares());
    Moments losses = new Moments(sums[0], sums[1], sums[2]);
    lastLoss = losses.mean();
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
            OptionalDouble.empty(),
            run.learningRate());
    maintenanceBegan = now;
    TrainingOptions.Saving saving = options.saving();
    boolean saves =
        saving.stateTicks().isPresent() && (done || tick != 0 && isDue(saving.stateTicks(), tick));
    tick++;
    tickImages = run.images();
    // Every process hands in its generators, whoever writes them.
    CapturedState state = saves ? CapturedState.whole(run, world, progress(run), options) : null;
    if (files != null) {
      files.tick(report, losses);
      if (state != null) {
        files.state(state);
      }
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
            grid.fakes(run.average()));
      }
    } else if (state != null) {
      state.close();
    }
    tickBegan = System.nanoTime();
  }

  private static boolean isDue(OptionalInt every, int tick) {
    return every.isPresent() && tick % every.getAsInt() == 0;
  }

  private Progress progress(TrainingRun run) {
    return new Progress(run.images(), tick, tickImages);
  }

  private TrainingResult finish(
      TrainingRun run, @Nullable RunFiles files, boolean done, boolean whole) {
    if (!done) {
      CapturedState state = CapturedState.whole(run, world, progress(run), options);
      if (files == null) {
        state.close();
      } else {
        files.state(state);
      }
    }
    boolean written = files == null || files.drain();
    if (!written && files != null) {
      throw new RdmException(
          "the run's last state or snapshot could not be written; %s"
              .formatted(
                  files
                      .state()
                      .map(f -> "the last whole state is " + f)
                      .orElse("there is no state of this run")));
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
}
