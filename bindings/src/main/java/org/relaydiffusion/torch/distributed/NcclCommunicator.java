// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.distributed.BackendException.Peers;
import org.relaydiffusion.torch.ffi.CudaEventAbi;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.NcclAbi;

/**
 * An NCCL communicator that does not block: what is not done yet is asked for again and again, so
 * that it can be given up. It is gone once, by {@link #abort} or {@link #close}, and nothing of
 * NCCL is called with it afterwards.
 */
final class NcclCommunicator implements AutoCloseable {
  private static final long SHORTEST_MICROS = 50;
  private static final long LONGEST_MICROS = 5000;
  private static final long LONGEST_CALL_MILLIS = 2000;
  private static final Duration LONGEST_END = Duration.ofSeconds(10);

  private final int device;
  private final ReentrantLock calls = new ReentrantLock();
  private final Supplier<Optional<String>> loss;
  private volatile long comm;
  private volatile @Nullable String failure;

  /**
   * One that has yet to be made.
   *
   * @param device the CUDA device, which no other rank has
   * @param loss tells that another process is gone, so that nobody need be waited for
   */
  NcclCommunicator(int device, Supplier<Optional<String>> loss) {
    this.device = device;
    this.loss = loss;
  }

  /** The name of a new communicator, for all ranks. */
  static byte[] newId() throws BackendException {
    byte[] id = new byte[NcclAbi.ID_BYTES];
    int result = NcclAbi.uniqueId(id);
    if (result != NcclAbi.SUCCESS) {
      throw new BackendException(reason(result, 0), Peers.UNKNOWN);
    }
    return id;
  }

  /**
   * Makes it, together with all other ranks.
   *
   * @throws BackendException when not all come within {@code limit}
   */
  void init(byte[] id, int rank, int size, Duration limit) throws BackendException {
    long[] made = new long[1];
    onDevice(() -> {
      calls.lock();
      try {
        int result = NcclAbi.init(made, size, id, rank);
        comm = made[0];
        return result;
      } finally {
        calls.unlock();
      }
    });
    finish(limit, "not all ranks came");
  }

  private void onDevice(IntSupplier call) throws BackendException {
    int before = CudaEventAbi.exchangeDevice(device);
    if (before < 0) {
      throw new BackendException("CUDA device %s cannot be used".formatted(device), Peers.UNKNOWN);
    }
    try {
      expect(call.getAsInt());
    } finally {
      int _ = CudaEventAbi.exchangeDevice(before);
    }
  }

  private void expect(int result) throws BackendException {
    String failed = failure;
    if (failed != null) {
      throw new BackendException(failed, Peers.LOST);
    }
    if (result != NcclAbi.SUCCESS && result != NcclAbi.IN_PROGRESS) {
      String reason = reason(result, 0);
      abort(reason);
      throw new BackendException(reason, Peers.UNKNOWN);
    }
  }

  private static String reason(int result, long comm) {
    String last = NcclAbi.lastError(comm);
    return "NCCL reports %s%s".formatted(NcclAbi.text(result), last.isEmpty() ? "" : ": " + last);
  }

  /** What is to be called between a group's start and its end. */
  @FunctionalInterface
  interface Issue {
    /**
     * Calls.
     *
     * @param stream LibTorch's current one
     * @return the first result that is none of success and progress, or the last
     */
    int calls(long comm, long stream);
  }

  /**
   * Issues operations as one, on LibTorch's current stream.
   *
   * @return an event that comes when they are done, which the caller destroys; 0 where there is
   *     none
   */
  long issue(Issue issue, Duration limit) throws BackendException {
    long[] event = new long[1];
    long stream;
    try {
      stream = CudaEventAbi.currentStream(device);
    } catch (NativeCallException e) {
      throw new BackendException(String.valueOf(e.getMessage()), Peers.UNKNOWN);
    }
    onDevice(() -> {
      calls.lock();
      try {
        return comm == 0 ? NcclAbi.SUCCESS : grouped(issue, stream);
      } finally {
        calls.unlock();
      }
    });
    finish(limit, "not all ranks came");
    onDevice(() -> {
      event[0] = CudaEventAbi.record(stream);
      return NcclAbi.SUCCESS;
    });
    return event[0];
  }

  private int grouped(Issue issue, long stream) {
    int started = NcclAbi.groupStart();
    if (started != NcclAbi.SUCCESS) {
      return started;
    }
    int issued = issue.calls(comm, stream);
    int ended = NcclAbi.groupEnd();
    return issued == NcclAbi.SUCCESS || issued == NcclAbi.IN_PROGRESS ? ended : issued;
  }

  /** Asks until what was begun is done. */
  private void finish(Duration limit, String late) throws BackendException {
    long end = System.nanoTime() + limit.toNanos();
    long pause = SHORTEST_MICROS;
    while (true) {
      int state = state();
      if (state != NcclAbi.IN_PROGRESS) {
        expect(state);
        return;
      }
      Optional<String> lost = loss.get();
      if (lost.isPresent()) {
        abort(lost.get());
        throw new BackendException(lost.get(), Peers.LOST);
      }
      if (System.nanoTime() - end >= 0) {
        String reason = "timed out after %s ms: %s".formatted(limit.toMillis(), late);
        abort(reason);
        throw new BackendException(reason, Peers.LOST);
      }
      LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(pause));
      pause = Math.min(2 * pause, LONGEST_MICROS);
    }
  }

  private int state() {
    calls.lock();
    try {
      return comm == 0 ? NcclAbi.SUCCESS : NcclAbi.state(comm);
    } finally {
      calls.unlock();
    }
  }

  /** What went wrong in the background; empty also where a call goes on, which will tell. */
  Optional<String> backgroundError() {
    if (!calls.tryLock()) {
      return Optional.empty();
    }
    try {
      int state = comm == 0 ? NcclAbi.SUCCESS : NcclAbi.state(comm);
      return state == NcclAbi.SUCCESS || state == NcclAbi.IN_PROGRESS
          ? Optional.empty()
          : Optional.of(reason(state, comm));
    } finally {
      calls.unlock();
    }
  }

  /** Why it was aborted; empty while it was not. */
  Optional<String> failure() {
    return Optional.ofNullable(failure);
  }

  /**
   * Ends it, and the kernels of it that wait for other ranks; by any thread, also while another one
   * is in a call.
   */
  void abort(String reason) {
    long ended;
    synchronized (this) {
      ended = comm;
      comm = 0;
      if (failure == null) {
        failure = reason;
      }
    }
    if (ended != 0) {
      Bounded.run("rdm-nccl-abort", LONGEST_END, () -> abort(ended));
    }
  }

  /** Waits for the end of a call that goes on, unless that is what hangs. */
  private void abort(long ended) {
    boolean mine = false;
    try {
      mine = calls.tryLock(LONGEST_CALL_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      // Nobody interrupts this thread.
    }
    try {
      int _ = NcclAbi.abort(ended);
    } finally {
      if (mine) {
        calls.unlock();
      }
    }
  }

  /** Ends what was issued, where the others do too, and frees it; otherwise aborts it. */
  @Override
  public void close() {
    long ended;
    synchronized (this) {
      ended = comm;
      comm = 0;
      if (failure == null) {
        failure = "the communicator is closed";
      }
    }
    if (ended == 0) {
      return;
    }
    boolean done = Bounded.run("rdm-nccl-close", LONGEST_END, () -> destroy(ended));
    if (!done) {
      Bounded.run("rdm-nccl-abort", LONGEST_END, () -> abort(ended));
    }
  }

  private static void destroy(long comm) {
    int result = NcclAbi.finish(comm);
    long end = System.nanoTime() + LONGEST_END.toNanos() / 2;
    while (result == NcclAbi.IN_PROGRESS || result == NcclAbi.SUCCESS) {
      int state = NcclAbi.state(comm);
      if (state != NcclAbi.IN_PROGRESS) {
        result = state;
        break;
      }
      if (System.nanoTime() - end >= 0) {
        break;
      }
      LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(SHORTEST_MICROS));
    }
    int _ = result == NcclAbi.SUCCESS ? NcclAbi.destroy(comm) : NcclAbi.abort(comm);
  }
}
