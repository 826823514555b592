// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.nativeconfig.Doctor;

class AsyncCopyTest {
  @Test
  void aCopyOnTheCpuIsAnOrdinaryOneThatSharesNothing() {
    try (Tensor source = Torch.tensor(new float[] {1, 2, 3}, 3);
        Tensor copy = Shapes.toAsync(source, Device.CPU)) {
      try (Tensor zeros = Torch.zerosLike(source)) {
        source.copyFrom(zeros);
      }
      assertThat(copy.toFloats()).containsExactly(1, 2, 3);
    }
  }

  @Test
  void pinnedMemoryWithoutADeviceIsRefused() {
    assumeFalse(Doctor.examine().cuda().whyUnusable().isEmpty(), "CUDA can be used");
    assertThatThrownBy(() -> Torch.emptyPinned(DType.UINT8, 2, 3))
        .isInstanceOf(TorchException.class)
        .hasMessageContaining(
            "aten::empty.memory_format(size=[2, 3], dtype=uint8, pin_memory=true) failed");
  }
}
