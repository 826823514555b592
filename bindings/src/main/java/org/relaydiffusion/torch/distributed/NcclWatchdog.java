// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.relaydiffusion.torch.ffi.CudaEventAbi;

/**
 * Watches a group over NCCL. A kernel that waits for a rank that is gone waits for ever, and so
 * does whoever waits for the device; so this looks ten times a second whether
 *
 * <ul>
 *   <li>another process has ended, which the control channel knows, or has left while an operation
 *       is not done;
 *   <li>another process does not take what is sent to it;
 *   <li>NCCL reports an error in the background;
 *   <li>an operation has not been done on the device within the group's timeout.
 * </ul>
 *
 * <p>Then it aborts the communicator, which ends the kernels, and tells all others; the next
 * operation of the group throws the reason.
 */
final class NcclWatchdog implements AutoCloseable {
  private static final long LOOK_MILLIS = 100;

  /** How long the device may still work at what a process that has left took part in. */
  static final Duration LONGEST_REST = Duration.ofSeconds(10);

  private static final Duration LONGEST_TELLING = Duration.ofSeconds(2);

  private final NcclCommunicator communicator;
  private final ControlChannel channel;
  private final int device;
  private final Duration limit;
  private final Deque<Pending> pending = new ArrayDeque<>();
  private final Thread thread;
  private final Semaphore news = new Semaphore(0);
  private volatile boolean closed;

  private record Pending(long event, String what, long end) {}

  private NcclWatchdog(
      NcclCommunicator communicator, ControlChannel channel, int rank, int device, Duration limit) {
    this.device = device;
    this.communicator = communicator;
    this.channel = channel;
    this.limit = limit;
    this.thread = Thread.ofPlatform().daemon().name("rdm-nccl-watch-" + rank).unstarted(this::run);
  }

  /** Begins to watch. */
  static NcclWatchdog start(
      NcclCommunicator communicator, ControlChannel channel, int rank, int device, Duration limit) {
    NcclWatchdog watchdog = new NcclWatchdog(communicator, channel, rank, device, limit);
    channel.onLoss(watchdog::wake);
    watchdog.thread.start();
    return watchdog;
  }

  /**
   * Watches an operation that was issued.
   *
   * @param event comes when it is done on the device; destroyed here
   */
  synchronized void watch(long event, String what) {
    if (event != 0) {
      if (closed) {
        CudaEventAbi.destroy(event);
      } else {
        pending.add(new Pending(event, what, System.nanoTime() + limit.toNanos()));
      }
    }
  }

  private void wake() {
    news.release();
  }

  private void run() {
    // A thread that asks CUDA would otherwise take memory on the first device, whoever has it.
    int _ = CudaEventAbi.setDevice(device);
    try {
      Optional<String> reason = Optional.empty();
      while (reason.isEmpty() && pause()) {
        reason = look();
      }
      reason.ifPresent(this::fail);
    } catch (RuntimeException | Error e) {
      // Without this thread nobody would notice that a peer is gone.
      fail("the watchdog has failed: " + e);
    }
  }

  private boolean pause() {
    try {
      if (news.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        int _ = news.drainPermits();
      }
    } catch (InterruptedException e) {
      // Nobody interrupts this thread.
    }
    return !closed;
  }

  private Optional<String> look() {
    return communicator
        .failure()
        .or(channel::lost)
        .or(() -> channel.stuck(limit))
        .or(communicator::backgroundError)
        .or(this::late);
  }

  private synchronized Optional<String> late() {
    while (!pending.isEmpty()) {
      Pending first = pending.peek();
      int come = CudaEventAbi.query(first.event());
      if (come == CudaEventAbi.NOT_READY) {
        return System.nanoTime() - first.end() < 0
            ? channel.left(LONGEST_REST).map(left -> "%s during %s".formatted(left, first.what()))
            : Optional.of(
                "%s timed out after %s ms on the device".formatted(first.what(), limit.toMillis()));
      }
      pending.remove();
      CudaEventAbi.destroy(first.event());
      if (come != CudaEventAbi.SUCCESS) {
        return Optional.of(
            "%s failed on the device: %s".formatted(first.what(), CudaEventAbi.text(come)));
      }
    }
    return Optional.empty();
  }

  private void fail(String reason) {
    // Sending to a process that is stopped may wait; the kernels are not to wait for that.
    boolean _ = Bounded.run("rdm-nccl-tell", LONGEST_TELLING, () -> channel.fail(reason));
    communicator.abort(reason);
    close();
  }

  private void forget() {
    pending.forEach(p -> CudaEventAbi.destroy(p.event()));
    pending.clear();
  }

  /** Watches no longer. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      forget();
    }
    wake();
  }
}
