// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;

/** The files that the first process writes during a run: log, statistics, grids and states. */
final class RunFiles implements AutoCloseable {
  private static final double MILLIS = 1e3;

  private final RunDirectory directory;
  private final TrainingListener listener;
  private final StatsFile stats;
  private final EventFile events;
  private final BackgroundFiles background;
  private volatile @Nullable Path state;
  private volatile @Nullable Path snapshot;
  private volatile boolean stateIsWritten = true;
  private volatile boolean snapshotIsWritten = true;

  RunFiles(RunDirectory directory, TrainingListener listener, long images) {
    this.directory = directory;
    this.listener = listener;
    stats = new StatsFile(directory.file("stats.jsonl"), images / 1e3);
    events = new EventFile(directory.path(), now());
    background = new BackgroundFiles(listener);
  }

  private static double now() {
    return System.currentTimeMillis() / MILLIS;
  }

  /** Appends a line to the log, and passes it to the listener. */
  void message(String line) {
    directory.log(line);
    listener.message(line);
  }

  /** Writes the line, statistics and events of a tick. */
  void tick(TickReport report, Moments losses) {
    Map<String, Moments> statistics = new LinkedHashMap<>();
    statistics.put("Loss/loss", losses);
    statistics.put("Progress/tick", Moments.of(report.tick()));
    statistics.put("Progress/kimg", Moments.of(report.images() / 1e3));
    statistics.put("Timing/total_sec", Moments.of(report.totalSeconds()));
    statistics.put("Timing/sec_per_tick", Moments.of(report.tickSeconds()));
    statistics.put("Timing/sec_per_kimg", Moments.of(report.secondsPerKimg()));
    statistics.put("Timing/maintenance_sec", Moments.of(report.maintenanceSeconds()));
    statistics.put("Resources/cpu_mem_gb", Moments.of(report.hostMemory() / TickReport.GIB));
    report
        .deviceMemory()
        .ifPresent(peak -> {
          statistics.put(
              "Resources/peak_gpu_mem_gb", Moments.of(peak.allocated() / TickReport.GIB));
          statistics.put(
              "Resources/peak_gpu_mem_reserved_gb", Moments.of(peak.reserved() / TickReport.GIB));
        });
    // Not in the reference.
    statistics.put("Progress/lr", Moments.of(report.learningRate()));
    statistics.put("Progress/grad_norm", Moments.of(report.gradientNorm()));
    double now = now();
    Map<String, Double> means = new LinkedHashMap<>();
    statistics.forEach((name, m) -> means.put(name, m.mean()));
    guarded(() -> {
      directory.log(report.line());
      stats.append(statistics, now);
      events.scalars(report.images() / 1000, now, means);
    });
    listener.tick(report);
  }

  /** Appends a warning to the log, and passes it to the listener. */
  void warning(String line) {
    guarded(() -> directory.log("warning: " + line));
    listener.warning(line);
  }

  /**
   * Writes a grid of images, as a file and an event.
   *
   * @param grid generates the images
   */
  void grid(String name, String tag, long images, Supplier<Pixels> grid) {
    guarded(() -> {
      Pixels pixels = grid.get();
      Path file = directory.file(name);
      PngWriter.write(pixels, Compression.FAST, file);
      events.image(
          images / 1000,
          now(),
          tag,
          pixels.width(),
          pixels.height(),
          pixels.channels(),
          PngWriter.encode(pixels, Compression.FAST));
      listener.saved(file);
    });
  }

  /**
   * Performs work whose failure is only reported: training continues if a disk is temporarily full
   * or an image of a grid is missing, and saves before an interrupt ends it.
   */
  private void guarded(Runnable work) {
    try {
      Uninterrupted.run(work);
    } catch (CancelledException e) {
      throw e;
    } catch (RdmException e) {
      listener.warning(String.valueOf(e.getMessage()));
    }
  }

  /**
   * Writes a state in the background.
   *
   * @param kept number of states to keep, including this one; all if empty
   */
  void state(CapturedState captured, OptionalInt kept) {
    background.write(
        () -> {
          try (captured) {
            Path file = directory.state(captured.images());
            stateIsWritten = false;
            captured.writeState(file);
            stateIsWritten = true;
            state = file;
            listener.saved(file);
            // This state is complete: only now may older ones be deleted.
            kept.ifPresent(n -> StateFiles.deleteOlder(file, n));
          }
        },
        captured::close);
  }

  /** Writes the snapshot of the EMA in the background. */
  void snapshot(CapturedState captured, Saving.SnapshotFormat format) {
    background.write(
        () -> {
          try (captured) {
            snapshotIsWritten = false;
            if (format != Saving.SnapshotFormat.PKL) {
              Path file = directory.snapshot(captured.images(), "safetensors");
              captured.writeSafetensors(file);
              snapshot = file;
              listener.saved(file);
            }
            if (format != Saving.SnapshotFormat.SAFETENSORS) {
              Path file = directory.snapshot(captured.images(), "pkl");
              captured.writePickle(file);
              snapshot = file;
              listener.saved(file);
            }
            snapshotIsWritten = true;
          }
        },
        captured::close);
  }

  /**
   * Waits for the pending file; returns whether the last state and the last snapshot are complete.
   */
  boolean drain() {
    background.drain();
    return stateIsWritten && snapshotIsWritten;
  }

  /** Returns why the last of the states and snapshots that could not be written was not. */
  Optional<String> failure() {
    return background.failure();
  }

  /** Returns the last complete state. */
  Optional<Path> state() {
    return Optional.ofNullable(state);
  }

  /** Returns the last complete snapshot. */
  Optional<Path> snapshot() {
    return Optional.ofNullable(snapshot);
  }

  @Override
  public void close() {
    try {
      background.close();
    } finally {
      events.close();
    }
  }
}
