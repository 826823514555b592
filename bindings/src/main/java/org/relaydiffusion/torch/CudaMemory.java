// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.Optional;
import org.relaydiffusion.torch.ffi.AllocatorAbi;
import org.relaydiffusion.torch.ffi.CudaRuntimeAbi;

/** The memory of a GPU: what there is, and what LibTorch's caching allocator has used. */
public final class CudaMemory {
  private CudaMemory() {}

  /**
   * The most that was in use at one time.
   *
   * @param allocated bytes that tensors had ({@code torch.cuda.max_memory_allocated})
   * @param reserved bytes that the allocator had taken from the device, what it kept for later
   *     tensors included ({@code torch.cuda.max_memory_reserved})
   */
  public record Peak(long allocated, long reserved) {}

  /**
   * The memory of a device, whoever uses it ({@code torch.cuda.mem_get_info}).
   *
   * @param free bytes that nobody has; what LibTorch's allocator keeps for later tensors counts as
   *     used
   * @param total bytes of the device
   */
  public record Available(long free, long total) {}

  /**
   * What a device has free now.
   *
   * @param device which tensors have been on
   * @return empty for the CPU, and where CUDA does not tell
   */
  public static Optional<Available> available(Device device) {
    TorchException.requireNonNull(device, "device");
    return device.type() == Device.Type.CUDA
        ? CudaRuntimeAbi.memory(device.index()).map(m -> new Available(m.free(), m.total()))
        : Optional.empty();
  }

  /**
   * The peak of this process since this was last asked for; begins anew ({@code
   * torch.cuda.reset_peak_memory_stats}).
   *
   * @return empty for the CPU, without CUDA, and where this LibTorch's allocator is not known
   * @throws org.relaydiffusion.OptionException when there is CUDA, but no such device
   */
  public static Optional<Peak> takePeak(Device device) {
    TorchException.requireNonNull(device, "device");
    if (device.type() != Device.Type.CUDA || Torch.cudaDeviceCount() == 0) {
      return Optional.empty();
    }
    // Makes sure that the allocator knows the device: it ends the process otherwise.
    Torch.empty(DType.FLOAT32, device, 1).close();
    Optional<Peak> peak =
        AllocatorAbi.peaks(device.index()).map(p -> new Peak(p.allocated(), p.reserved()));
    AllocatorAbi.resetPeaks(device.index());
    return peak;
  }
}
