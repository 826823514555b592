// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;

/**
 * Receives the progress of a training run; called on the training thread, unless stated otherwise.
 */
public interface TrainingListener {
  /** Ignores everything. */
  TrainingListener NONE = new TrainingListener() {};

  /** Called with messages before the first step: the data, the network, the start of the run. */
  default void message(String line) {}

  /**
   * Called when the process has been waiting for its peers for some seconds, at increasing
   * intervals.
   */
  default void waiting(String line) {}

  /**
   * Called when all processes are ready and the first step begins. An exception ends the run, which
   * has nothing to save yet.
   */
  default void begun() {}

  /**
   * Called after a step.
   *
   * @param images number of images trained on so far
   * @param total their number at the end
   */
  default void step(long images, long total) {}

  /** Called at the end of a tick. */
  default void tick(TickReport report) {}

  /** Called when a file has been written, by the thread that wrote it. */
  default void saved(Path file) {}

  /** Called when something failed that does not end the run; on any thread. */
  default void warning(String line) {}
}
