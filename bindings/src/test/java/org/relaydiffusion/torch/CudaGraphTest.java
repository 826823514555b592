// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;

/** Streams and graphs where there is no CUDA; GpuTest has the others. */
class CudaGraphTest {
  @Test
  void theCpuHasNoStreamsAndNoGraphs() {
    assertThat(CudaGraph.isAvailable(Device.CPU)).isFalse();
    assertThatThrownBy(() -> CudaStream.current(Device.CPU))
        .isInstanceOf(TorchException.class)
        .hasMessage("streams are of CUDA devices, not of cpu");
    assertThatThrownBy(() -> CudaStream.fromPool(Device.CPU)).isInstanceOf(TorchException.class);
  }

  @Test
  void withoutCudaTheReasonIsGiven() {
    assumeTrue(Torch.cudaDeviceCount() == 0);
    assertThat(CudaGraph.isAvailable(Device.cuda(0))).isFalse();
    assertThatThrownBy(() -> CudaStream.fromPool(Device.cuda(0)))
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith("device cuda:0 cannot be used: ");
  }
}
