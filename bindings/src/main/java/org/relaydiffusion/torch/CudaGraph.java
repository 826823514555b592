// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.CudaGraphAbi;
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
 * <p>Several threads may replay one graph, but one after another, and on one stream.
 */
public final class CudaGraph implements AutoCloseable {
  /** Of those that capture, one at a time: the allocator's state is the process's. */
  private static final ReentrantLock CAPTURING = new ReentrantLock();

  private final Device device;

  @SuppressWarnings("MustBeClosedChecker") // Closed by close().
  private final Arena arena = Arena.ofShared();

  private final MemorySegment object;
  private CudaGraphAbi.@Nullable Pool pool;
  private long exec;
  private boolean capturing;
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
        && CudaGraphAbi.isPresent();
  }

  /**
   * Records what {@code work} launches; nothing of it runs yet. Whatever it launches for the first
   * time should have run on this stream before: libraries make what they need then, and choose
   * kernels.
   *
   * @param stream on which the work is recorded, not a device's default one; it is the current one
   *     meanwhile
   * @param sharing a graph with the same memory, for ones that are never replayed at the same time
   *     and whose results are not needed beyond each other's replays; null for memory of its own
   * @throws TorchException when the work did something that a graph cannot have, when it failed,
   *     with the reason, or when graphs are not available; nothing stays of the attempt
   */
  public static CudaGraph capture(CudaStream stream, @Nullable CudaGraph sharing, Runnable work) {
    TorchException.requireNonNull(stream, "stream");
    TorchException.requireNonNull(work, "work");
    if (!isAvailable(stream.device())) {
      throw new TorchException(
          "LibTorch %s captures no graphs on %s"
              .formatted(Torch.library().version(), stream.device()));
    }
    if (stream.handle() == 0) {
      throw new TorchException("graphs are captured on a stream other than " + stream);
    }
    if (CAPTURING.isHeldByCurrentThread()) {
      throw new TorchException("a graph cannot be captured while another one is");
    }
    CAPTURING.lock();
    try (CudaStream.Use _ = stream.use()) {
      // Earlier failures are told here, where they can be.
      stream.synchronize();
      if (CudaGraphAbi.status(stream.handle()) != CudaGraphAbi.NONE) {
        throw new TorchException(stream + " is being captured already");
      }
      CudaGraphAbi.Pool pool =
          sharing == null || sharing.pool == null ? CudaGraphAbi.Pool.NEW : sharing.pool;
      CudaGraph graph = new CudaGraph(stream.device());
      boolean captured = false;
      try {
        graph.record(stream, pool, work);
        captured = true;
        return graph;
      } finally {
        if (!captured) {
          graph.close();
        }
      }
    } catch (NativeCallException e) {
      throw TorchException.failed("capturing a CUDA graph on " + stream, e);
    } finally {
      CAPTURING.unlock();
    }
  }

  private void record(CudaStream stream, CudaGraphAbi.Pool wanted, Runnable work)
      throws NativeCallException {
    CudaGraphAbi.begin(object, wanted);
    capturing = true;
    boolean valid;
    try {
      work.run();
    } finally {
      valid = end(stream);
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

  /** Ends the capture, and says whether all of it was recorded. */
  private boolean end(CudaStream stream) throws NativeCallException {
    boolean valid = CudaGraphAbi.status(stream.handle()) == CudaGraphAbi.ACTIVE;
    if (!valid) {
      CudaGraphAbi.replaceInvalidated(stream.handle());
    }
    CudaGraphAbi.end(object);
    capturing = false;
    return valid;
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
