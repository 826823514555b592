package org.relaydiffusion.launch.download;

import org.relaydiffusion.launch.command.StopSignal;

/** While it is open, the wish to stop interrupts the thread that made it. */
final class StopInterrupt implements AutoCloseable {
  private final Thread thread = Thread.currentThread();
  private boolean open = true;
  private boolean interrupted;

  StopInterrupt(StopSignal stop) {
    stop.onRequest(this::interrupt, StopSignal.Ending.AT_ONCE);
  }

  private synchronized void interrupt() {
    if (open) {
      interrupted = true;
      thread.interrupt();
    }
  }

  /** Takes back an interrupt of its own. */
  @Override
  public synchronized void close() {
    open = false;
    if (interrupted) {
      boolean _ = Thread.interrupted();
    }
  }
}
