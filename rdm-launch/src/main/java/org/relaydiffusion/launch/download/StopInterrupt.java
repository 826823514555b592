// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import org.relaydiffusion.launch.command.StopSignal;

/** While open, a stop request interrupts the thread that created it. */
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

  /** Clears an interrupt that this object has caused. */
  @Override
  public synchronized void close() {
    open = false;
    if (interrupted) {
      boolean _ = Thread.interrupted();
    }
  }
}
