// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.AllocatorAbi;
import org.relaydiffusion.torch.ffi.CudaGraphAbi;
import org.relaydiffusion.torch.ffi.CudaStreamAbi;
import org.relaydiffusion.torch.ffi.NativeCallException;

/**
 * What some work has launched on a CUDA device, recorded once ({@code torch.cuda.CUDAGraph});
 * {@link #replay} does all of it again in one launch, which spares the host the calls of the
 * operators:
 *
 * <pre>{@code
 * Tensor[] y = new Tensor[1];
 * CudaStream stream = CudaStream.fromPool(device);
 * try (CudaGraph graph = CudaGraph.capture(stream, null, () -> y[0] = f(x).release())) {
 *   x.copyFrom(next);
 *   graph.replay(); // y[0] is f(next), until the next replay
 *   y[0].close();
 * }
 * }</pre>
 *
 * <p>The replay reads and writes the memory that the work has used, so operands are filled anew,
 * and results read, where they are; a number that Java gave an operator is the same each time. The
 * work must not read elements, copy between host and device or wait: capturing then fails. Tensors
 * made by the work lie in memory that only replays of this graph use; those that are kept are
 * closed before the graph.
 *
 * <p>Several threads may replay one graph, but one after another, and on one stream. While one is
 * captured, other threads cannot draw from the device's default generator, as dropout does.
 */
public final class CudaGraph implements AutoCloseable {
  /** Of those that capture, one at a time: the allocator's state is the process's. */
  private static final ReentrantLock CAPTURING = new ReentrantLock();

  /** Whether a capture could not be ended. */
  private static volatile boolean unusable;

  private final Device device;

  @SuppressWarnings("MustBeClosedChecker") // Closed by close().
  private final Arena arena = Arena.ofShared();

  private final MemorySegment object;
  private CudaGraphAbi.@Nullable Pool pool;
  private long exec;
  private boolean capturing;

  /** The stream that the work has left current instead of its own. */
  private @Nullable CudaStream left;

  private boolean closed;

  private CudaGraph(Device device) {
    this.device = device;
    object = CudaGraphAbi.create(arena);
  }

  /** Whether graphs can be captured on a device: a usable GPU, with a LibTorch that has them. */
  public static boolean isAvailable(Device device) {
    TorchException.requireNonNull(device, "device");
    return device.type() == Device.Type.CUDA
        && device.index() < Torch.cudaDeviceCount()
        && CudaGraphAbi.isPresent()
        && !unusable;
  }

  /**
   * As {@link #capture(CudaStream, CudaGraph, Runnable, Runnable)}, where nothing has to be done
   * first.
   */
  public static CudaGraph capture(CudaStream stream, @Nullable CudaGraph sharing, Runnable work) {
    return capture(stream, sharing, () -> {}, work);
  }

  /**
   * Records what {@code work} launches; nothing of it runs yet. It reads what this thread has
   * computed so far. Memory that LibTorch keeps for later tensors goes back to the device before,
   * as a recording cannot use it.
   *
   * @param stream on which the work is recorded, not a device's default one; it is the current one
   *     meanwhile, and nobody else uses it
   * @param sharing a graph of the same device whose memory this one uses too, for ones that are
   *     never replayed at the same time and whose results are not needed beyond each other's
   *     replays; null for memory of its own
   * @param warmUp runs on the stream before: what libraries make at the first call on a stream or a
   *     thread cannot be made while work is recorded
   * @throws TorchException when the work did something that a graph cannot have, when it failed,
   *     with the reason, or when graphs are not available; nothing stays of the attempt
   */
  public static CudaGraph capture(
      CudaStream stream, @Nullable CudaGraph sharing, Runnable warmUp, Runnable work) {
    TorchException.requireNonNull(stream, "stream");
    TorchException.requireNonNull(warmUp, "warmUp");
    TorchException.requireNonNull(work, "work");
    Device device = stream.device();
    if (!isAvailable(device)) {
      throw new TorchException(
          "LibTorch %s captures no graphs on %s".formatted(Torch.library().version(), device));
    }
    if (stream.handle() == 0) {
      throw new TorchException("graphs are captured on a stream other than " + stream);
    }
    if (sharing != null && !sharing.device.equals(device)) {
      throw new TorchException(
          "a graph on %s cannot share the memory of one on %s".formatted(device, sharing.device));
    }
    refuseDuringCapture("capturing another graph");
    CAPTURING.lock();
    try {
      // Earlier failures are told here, where they can be.
      CudaStream.current(device).synchronize();
      try (CudaStream.Use _ = stream.use()) {
        warmUp.run();
        stream.synchronize();
        return captured(stream, sharing, work);
      }
    } catch (NativeCallException e) {
      throw TorchException.failed("capturing a CUDA graph on " + stream, e);
    } finally {
      CAPTURING.unlock();
    }
  }

  private static CudaGraph captured(CudaStream stream, @Nullable CudaGraph sharing, Runnable work)
      throws NativeCallException {
    Device device = stream.device();
    if (unusable) {
      throw new TorchException("a capture could not be ended: no more graphs in this process");
    }
    if (CudaGraphAbi.status(stream.handle()) != CudaGraphAbi.NONE) {
      throw new TorchException(stream + " is being captured already");
    }
    AllocatorAbi.emptyCache();
    // Beginning makes two such tensors, and where there is no memory could only end the process.
    try (Tensor _ = Torch.empty(DType.INT64, device, 1);
        Tensor _ = Torch.empty(DType.INT64, device, 1)) {
      stream.synchronize();
    }
    CudaGraph graph = new CudaGraph(device);
    boolean done = false;
    try {
      graph.begin(sharing);
      graph.record(stream, work);
      done = true;
      return graph;
    } finally {
      if (!done) {
        graph.close();
      }
    }
  }

  /**
   * Refuses what LibTorch refuses during a capture by an exception that nothing between C++ and
   * Java could catch.
   *
   * @param what cannot be done
   */
  static void refuseDuringCapture(String what) {
    if (CAPTURING.isHeldByCurrentThread()) {
      throw new TorchException(what + " is not possible while a CUDA graph is captured");
    }
  }

  private void begin(@Nullable CudaGraph sharing) {
    if (sharing == null) {
      CudaGraphAbi.begin(object, CudaGraphAbi.Pool.NEW);
    } else {
      // It is not closed meanwhile: LibTorch would end the process.
      synchronized (sharing) {
        if (sharing.closed || sharing.pool == null) {
          throw new TorchException("the graph whose memory is to be shared is closed");
        }
        CudaGraphAbi.begin(object, sharing.pool);
      }
    }
    capturing = true;
  }

  private void record(CudaStream stream, Runnable work) throws NativeCallException {
    boolean valid;
    try {
      work.run();
    } finally {
      valid = end(stream);
    }
    if (left != null) {
      throw new TorchException("the work left %s current".formatted(left));
    }
    if (!valid) {
      throw new TorchException(
          "the work did something that a CUDA graph cannot have: it read an element, waited, or"
              + " copied between the host and "
              + device);
    }
    pool = CudaGraphAbi.pool(object);
    exec = CudaGraphAbi.instantiate(object);
  }

  /** Ends the capture, whatever is current now, and says whether all of it was recorded. */
  private boolean end(CudaStream stream) throws NativeCallException {
    try {
      CudaStream current = CudaStream.current(device);
      left = current.equals(stream) ? null : current;
      long guard = CudaStreamAbi.guard(stream.handle(), device.index());
      try {
        boolean valid = CudaGraphAbi.status(stream.handle()) == CudaGraphAbi.ACTIVE;
        if (!valid) {
          CudaGraphAbi.replaceInvalidated(stream.handle());
        }
        CudaGraphAbi.end(object);
        capturing = false;
        return valid;
      } finally {
        CudaStreamAbi.endGuard(guard);
      }
    } finally {
      if (capturing) {
        // The allocator goes on as if it were capturing, and would throw at the next one.
        unusable = true;
      }
    }
  }

  /**
   * Does everything again, on this thread's current stream of the graph's device, in one launch. It
   * does not wait for the end.
   *
   * @throws TorchException when it is closed, or the launch fails
   */
  public synchronized void replay() {
    if (closed) {
      throw new TorchException("this graph is closed");
    }
    CudaStream stream = CudaStream.current(device);
    try (CudaStream.Use _ = stream.use()) {
      CudaGraphAbi.launch(exec, stream.handle());
    } catch (NativeCallException e) {
      throw TorchException.failed("replaying a CUDA graph on " + stream, e);
    }
  }

  /** The device that it was captured on. */
  public Device device() {
    return device;
  }

  /** Frees it; what was launched still ends. Closing twice is allowed. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (exec != 0) {
      CudaGraphAbi.destroyExec(exec);
    }
    // Where a capture could not be ended, the allocator goes on asking the object.
    if (!capturing) {
      CudaGraphAbi.destroy(object);
      arena.close();
    }
  }
}
