// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.jspecify.annotations.Nullable;

/**
 * LibTorch could not allocate memory for a tensor. On CUDA the message names the device's free and
 * total memory.
 */
public final class DeviceMemoryException extends TorchException {
  private static final long serialVersionUID = 1L;

  DeviceMemoryException(String message) {
    super(message);
  }

  /**
   * Whether LibTorch's words say that memory is missing: CUDA's allocator, cuDNN and cuBLAS, and
   * the CPU's allocator.
   */
  static boolean isMeant(@Nullable String reason) {
    return reason != null
        && (reason.contains("out of memory")
            || reason.contains("CUDNN_STATUS_ALLOC_FAILED")
            || reason.contains("CUBLAS_STATUS_ALLOC_FAILED")
            || reason.contains("can't allocate memory")
            || reason.contains("not enough memory"));
  }
}
