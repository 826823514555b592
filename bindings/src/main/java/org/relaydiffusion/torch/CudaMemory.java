package org.relaydiffusion.torch;

import java.util.Optional;
import org.relaydiffusion.torch.ffi.AllocatorAbi;

/** How much memory of a GPU LibTorch's caching allocator has used. */
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
