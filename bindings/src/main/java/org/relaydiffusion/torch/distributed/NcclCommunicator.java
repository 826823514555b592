// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;
import java.util.function.LongToIntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.nativeconfig.NativeLibraryException;
import org.relaydiffusion.nativeconfig.NcclLibrary;
import org.relaydiffusion.torch.distributed.BackendException.Peers;
import org.relaydiffusion.torch.ffi.CudaEventAbi;
import org.relaydiffusion.torch.ffi.CudaGuardAbi;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.NcclAbi;

/**
 * An NCCL communicator that does not block: what is not done yet is asked for again and again, so
 * that it can be given up. It is gone once, by {@link #abort} or {@link #close}, and nothing of
 * NCCL is called with it afterwards.
 */
final class NcclCommunicator implements AutoCloseable {
  /** 2.18: until then a thread of NCCL's read what {@code ncclCommInitRankConfig} was given. */
  private static final int OLDEST = 21800;

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

  /**
   * Makes sure that this NCCL makes communicators that do not block without keeping memory of the
   * caller's.
   */
  static void requireVersion() {
    int version = NcclAbi.version();
    if (version < OLDEST) {
      throw new NativeLibraryException(
          "NCCL (%s) is version %s: %s or newer is needed"
              .formatted(NcclLibrary.load().origin(), text(version), text(OLDEST)));
    }
  }

  private static String text(int version) {
    // Up to 2.8.x there was one digit less.
    int minor = version < 10_000 ? version / 100 % 10 : version / 100 % 100;
    int major = version < 10_000 ? version / 1000 : version / 10_000;
    return "%s.%s.%s".formatted(major, minor, version % 100);
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

  /** Calls with the device as this thread's, and gives the thread back what it had. */
  private void onDevice(IntSupplier call) throws BackendException {
    MemorySegment guard;
    try {
      // CUDA's own way back would make a context on a device that this process does not use.
      guard = CudaGuardAbi.create(device);
    } catch (NativeCallException e) {
      throw new BackendException("CUDA device %s cannot be used".formatted(device), Peers.UNKNOWN);
    }
    try {
      expect(call.getAsInt());
    } finally {
      CudaGuardAbi.delete(guard);
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
   * @return an event that comes when they are done, which the caller destroys
   */
  long issue(Issue issue, Duration limit) throws BackendException {
    long[] event = new long[1];
    long stream;
    try {
      stream = CudaEventAbi.currentStream(device);
    } catch (NativeCallException e) {
      throw new BackendException(String.valueOf(e.getMessage()), Peers.UNKNOWN);
    }
    onDevice(() -> call(here -> grouped(issue, here, stream)));
    finish(limit, "not all ranks came");
    int[] recorded = new int[1];
    onDevice(() -> {
      recorded[0] = CudaEventAbi.record(event, stream);
      return NcclAbi.SUCCESS;
    });
    if (recorded[0] != CudaEventAbi.SUCCESS) {
      // Without an event nobody would notice that the operation hangs.
      String reason = "no event can be recorded: " + CudaEventAbi.text(recorded[0]);
      abort(reason);
      throw new BackendException(reason, Peers.UNKNOWN);
    }
    return event[0];
  }

  /**
   * Calls while nobody else does. Where the communicator is gone that is a success: whoever ended
   * it has set the failure before. Whoever holds the lock for long has ended it, so this has an
   * end.
   */
  private int call(LongToIntFunction call) {
    boolean interrupted = false;
    try {
      while (comm != 0) {
        try {
          if (calls.tryLock(LONGEST_MICROS, TimeUnit.MICROSECONDS)) {
            try {
              long here = comm;
              return here == 0 ? NcclAbi.SUCCESS : call.applyAsInt(here);
            } finally {
              calls.unlock();
            }
          }
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      return NcclAbi.SUCCESS;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static int grouped(Issue issue, long comm, long stream) {
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
    boolean interrupted = false;
    try {
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
        // A thread with its interrupt status set would not pause.
        interrupted |= Thread.interrupted();
        LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(pause));
        pause = Math.min(2 * pause, LONGEST_MICROS);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** The state; while another thread is in a call, that of one that goes on. */
  private int state() {
    if (comm == 0) {
      return NcclAbi.SUCCESS;
    }
    if (!calls.tryLock()) {
      return NcclAbi.IN_PROGRESS;
    }
    try {
      long here = comm;
      return here == 0 ? NcclAbi.SUCCESS : NcclAbi.state(here);
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
      long here = comm;
      int state = here == 0 ? NcclAbi.SUCCESS : NcclAbi.state(here);
      return state == NcclAbi.SUCCESS || state == NcclAbi.IN_PROGRESS
          ? Optional.empty()
          : Optional.of(reason(state, here));
    } finally {
      calls.unlock();
    }
  }

  /** Why it was aborted; empty while it was not. */
  Optional<String> failure() {
    return Optional.ofNullable(failure);
  }

  /** Takes it from everybody; 0 where somebody has done so before. */
  private synchronized long taken(String reason) {
    // Who sees that there is none finds the failure.
    if (failure == null) {
      failure = reason;
    }
    long ended = comm;
    comm = 0;
    return ended;
  }

  /**
   * Ends it, and the kernels of it that wait for other ranks; by any thread, also while another one
   * is in a call.
   */
  void abort(String reason) {
    long ended = taken(reason);
    if (ended != 0) {
      Bounded.run("rdm-nccl-abort", LONGEST_END, () -> abort(ended));
    }
  }

  private void abort(long ended) {
    boolean alone = waitForCalls();
    try {
      int _ = CudaEventAbi.setDevice(device);
      int _ = NcclAbi.abort(ended);
    } finally {
      if (alone) {
        calls.unlock();
      }
    }
  }

  /** Waits for the end of a call that goes on, unless that is what hangs. */
  private boolean waitForCalls() {
    try {
      return calls.tryLock(LONGEST_CALL_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      // Nobody interrupts this thread.
      return false;
    }
  }

  /** Ends what was issued, where the others do too, and frees it; otherwise aborts it. */
  @Override
  public void close() {
    long ended = taken("the communicator is closed");
    if (ended == 0) {
      return;
    }
    // Whoever sets it may free the communicator, once, and nobody else calls anything with it.
    AtomicBoolean freeing = new AtomicBoolean();
    boolean done = Bounded.run("rdm-nccl-close", LONGEST_END, () -> destroy(ended, freeing));
    if (!done) {
      if (freeing.compareAndSet(false, true)) {
        Bounded.run("rdm-nccl-abort", LONGEST_END, () -> abort(ended));
      } else {
        System.getLogger("org.relaydiffusion.torch")
            .log(
                System.Logger.Level.WARNING,
                "NCCL does not end its communicator of CUDA device %s".formatted(device));
      }
    }
  }

  private void destroy(long ended, AtomicBoolean freeing) {
    boolean alone = waitForCalls();
    try {
      // NCCL sets the thread's device, and afterwards sets again what it found.
      int _ = CudaEventAbi.setDevice(device);
      int result = alone ? NcclAbi.finish(ended) : NcclAbi.IN_PROGRESS;
      if (!freeing.compareAndSet(false, true)) {
        return;
      }
      if (alone && (result == NcclAbi.IN_PROGRESS || result == NcclAbi.SUCCESS)) {
        result = finished(ended);
      }
      int _ = result == NcclAbi.SUCCESS ? NcclAbi.destroy(ended) : NcclAbi.abort(ended);
    } finally {
      if (alone) {
        calls.unlock();
      }
    }
  }

  /** The state when what was issued has ended, or when that takes too long. */
  private static int finished(long comm) {
    long end = System.nanoTime() + LONGEST_END.toNanos() / 2;
    while (true) {
      int state = NcclAbi.state(comm);
      if (state != NcclAbi.IN_PROGRESS || System.nanoTime() - end >= 0) {
        return state;
      }
      LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(SHORTEST_MICROS));
    }
  }
}
