// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.nativeconfig.LibTorch;

class CudaMemoryTest {
  @Test
  void theCpuHasNone() {
    assertThat(CudaMemory.takePeak(Device.CPU)).isEmpty();
    assertThat(CudaMemory.available(Device.CPU)).isEmpty();
  }

  /** A build without CUDA has no such allocator, and asking for it must not end the process. */
  @Test
  void norHasABuildWithoutCuda() {
    assumeFalse(LibTorch.load().hasCuda());
    assertThat(CudaMemory.takePeak(Device.cuda(0))).isEmpty();
    assertThat(CudaMemory.available(Device.cuda(0))).isEmpty();
  }
}
