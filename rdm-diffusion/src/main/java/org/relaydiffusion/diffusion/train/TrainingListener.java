package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;

/** Hears how a training run goes; called on the training thread, except where it says so. */
public interface TrainingListener {
  /** Hears nothing. */
  TrainingListener NONE = new TrainingListener() {};

  /** What is said once, before the first step: the data, the network, where a run goes on from. */
  default void message(String line) {}

  /** The process has been waiting for its peers for some seconds; said ever less often. */
  default void waiting(String line) {}

  /**
   * All processes are ready, and the first step begins. What this throws ends the run, of which
   * there is nothing to save yet.
   */
  default void begun() {}

  /**
   * A step is done.
   *
   * @param images how many images have been trained on in all
   * @param total how many there will be
   */
  default void step(long images, long total) {}

  /** A tick is over. */
  default void tick(TickReport report) {}

  /** A file is there; called by the thread that wrote it. */
  default void saved(Path file) {}

  /** Something failed that the run outlives; called by any thread. */
  default void warning(String line) {}
}
