// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.CudaGuardAbi;
import org.relaydiffusion.torch.ffi.NativeCallException;

/**
 * Makes a CUDA device the current one of this thread until closed ({@code torch.cuda.device}); does
 * nothing for the CPU. An operator computes on the device of its operands in any case, but where
 * that is not the thread's, every operator switches to it and back, and pinned memory and the like
 * would be made on a device that is not otherwise used. Guards on one thread are closed in the
 * reverse order of opening, as try-with-resources does.
 */
public final class DeviceGuard implements AutoCloseable {
  private final Thread owner = Thread.currentThread();
  private final @Nullable MemorySegment handle;
  private boolean closed;

  private DeviceGuard(@Nullable MemorySegment handle) {
    this.handle = handle;
  }

  /**
   * Opens a guard.
   *
   * @throws org.relaydiffusion.OptionException when the device cannot be used, with the reason
   * @throws TorchException on a virtual thread, which may change the system thread that has the
   *     device
   */
  public static DeviceGuard on(Device device) {
    TorchException.requireNonNull(device, "device");
    if (device.type() == Device.Type.CPU) {
      return new DeviceGuard(null);
    }
    PlatformThread.require("a device guard");
    Cuda.require(device);
    if (!Torch.library().hasCuda()) {
      return new DeviceGuard(null);
    }
    try {
      return new DeviceGuard(CudaGuardAbi.create(device.index()));
    } catch (NativeCallException e) {
      throw TorchException.failed("selecting " + device, e);
    }
  }

  /**
   * Makes the device from before the current one again. Closing twice is allowed.
   *
   * @throws TorchException on another thread, whose device this is not
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (Thread.currentThread() != owner) {
      throw new TorchException(
          "this device guard belongs to thread %s, not %s"
              .formatted(owner.getName(), Thread.currentThread().getName()));
    }
    closed = true;
    if (handle != null) {
      CudaGuardAbi.delete(handle);
    }
  }
}
