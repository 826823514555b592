// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.ffi.CudaStreamAbi;
import org.relaydiffusion.torch.ffi.NativeCallException;

/**
 * A stream of a CUDA device: what is put on it runs in its order, beside what is on other streams.
 * Each thread has a current stream on each device, on which its operators run; it is the device's
 * default stream unless {@link #use} makes it another. A tensor's memory belongs to the stream that
 * was current when it was made: use on another one needs a wait between.
 *
 * @see <a href="https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-streams">CUDA streams</a>
 */
public final class CudaStream {
  private final Device device;
  private final long handle;

  private CudaStream(Device device, long handle) {
    this.device = device;
    this.handle = handle;
  }

  /**
   * One of the streams that LibTorch keeps for each device, handed out in turn ({@code
   * torch.cuda.Stream()}). It is never freed.
   *
   * @throws OptionException when the device cannot be used, with the reason
   * @throws TorchException when it is not of CUDA, or this LibTorch does not hand out streams
   */
  public static CudaStream fromPool(Device device) {
    requireStreams(device);
    try {
      return new CudaStream(device, CudaStreamAbi.fromPool(device.index()));
    } catch (NativeCallException e) {
      throw TorchException.failed("asking %s for a stream".formatted(device), e);
    }
  }

  /**
   * The stream on which this thread's operators on a device run ({@code
   * torch.cuda.current_stream}).
   *
   * @throws OptionException when the device cannot be used, with the reason
   * @throws TorchException when it is not of CUDA, or this LibTorch does not hand out streams
   */
  public static CudaStream current(Device device) {
    requireStreams(device);
    try {
      return new CudaStream(device, CudaStreamAbi.current(device.index()));
    } catch (NativeCallException e) {
      throw TorchException.failed("asking %s for its current stream".formatted(device), e);
    }
  }

  private static void requireStreams(Device device) {
    TorchException.requireNonNull(device, "device");
    if (device.type() != Device.Type.CUDA) {
      throw new TorchException("streams are of CUDA devices, not of " + device);
    }
    Torch.requireUsable(device);
    if (!CudaStreamAbi.isPresent()) {
      throw new TorchException(
          "LibTorch %s does not hand out CUDA streams".formatted(Torch.library().version()));
    }
  }

  /** The device that it is of. */
  public Device device() {
    return device;
  }

  /**
   * Waits until everything that was put on it is done ({@code Stream.synchronize()}).
   *
   * @throws TorchException when something on it has failed
   */
  public void synchronize() {
    try {
      CudaStreamAbi.synchronize(handle, device.index());
    } catch (NativeCallException e) {
      throw TorchException.failed("waiting for " + this, e);
    }
  }

  /**
   * Makes it this thread's current stream, and its device the current one, until the result is
   * closed, which restores those before. Uses nest, and end in the reverse order on the same
   * thread.
   */
  public Use use() {
    PlatformThread.require("the use of a CUDA stream");
    try {
      return new Use(this, CudaStreamAbi.guard(handle, device.index()));
    } catch (NativeCallException e) {
      throw TorchException.failed("changing to " + this, e);
    }
  }

  long handle() {
    return handle;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CudaStream that && handle == that.handle && device.equals(that.device);
  }

  @Override
  public int hashCode() {
    return 31 * device.hashCode() + Long.hashCode(handle);
  }

  @Override
  public String toString() {
    return handle == 0
        ? "the default stream of " + device
        : "stream 0x%s of %s".formatted(Long.toHexString(handle), device);
  }

  /** The time during which a stream is a thread's current one. */
  public static final class Use implements AutoCloseable {
    private final CudaStream stream;
    private final Thread thread = Thread.currentThread();
    private final long guard;
    private boolean ended;

    private Use(CudaStream stream, long guard) {
      this.stream = stream;
      this.guard = guard;
    }

    /**
     * Restores the stream and the device before. Closing twice is allowed.
     *
     * @throws TorchException on another thread
     */
    @Override
    public void close() {
      if (ended) {
        return;
      }
      if (Thread.currentThread() != thread) {
        throw new TorchException(
            "%s is in use by thread %s, not %s"
                .formatted(stream, thread.getName(), Thread.currentThread().getName()));
      }
      ended = true;
      try {
        CudaStreamAbi.endGuard(guard);
      } catch (NativeCallException e) {
        throw TorchException.failed("leaving " + stream, e);
      }
    }
  }
}
