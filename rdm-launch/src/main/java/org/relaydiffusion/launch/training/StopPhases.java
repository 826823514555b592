// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.train.TickReport;
import org.relaydiffusion.diffusion.train.TrainingListener;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.command.StopSignal.Ending;

/**
 * How a training run reacts to a stop request. Until the first step, it is waiting for its peers or
 * preparing, so it ends immediately; afterwards it finishes the step and saves its state, without a
 * time limit.
 */
final class StopPhases implements TrainingListener, AutoCloseable {
  private final TrainingListener listener;
  private final StopSignal stop;
  private final AtomicBoolean interrupting = new AtomicBoolean();
  private final Cancellation cancellation = new Cancellation();

  /** Begins the first phase, in which a stop request interrupts the current thread. */
  StopPhases(TrainingListener listener, StopSignal stop) {
    this.listener = listener;
    this.stop = stop;
    Thread waiting = Thread.currentThread();
    stop.onRequest(
        () -> {
          interrupting.set(true);
          waiting.interrupt();
        },
        Ending.AT_ONCE);
  }

  /** Returns what cancels a run that is training. */
  Cancellation cancellation() {
    return cancellation;
  }

  /** Clears an interrupt that was only meant to end a wait. */
  @Override
  public void close() {
    if (interrupting.get()) {
      boolean _ = Thread.interrupted();
    }
  }

  @Override
  public void begun() {
    if (!stop.replace(cancellation::cancel, Ending.IN_ITS_OWN_TIME)) {
      throw new CancelledException();
    }
    listener.begun();
  }

  @Override
  public void waiting(String line) {
    listener.waiting(line);
  }

  @Override
  public void message(String line) {
    listener.message(line);
  }

  @Override
  public void step(long images, long total) {
    listener.step(images, total);
  }

  @Override
  public void tick(TickReport report) {
    listener.tick(report);
  }

  @Override
  public void saved(Path file) {
    listener.saved(file);
  }

  @Override
  public void warning(String line) {
    listener.warning(line);
  }
}
