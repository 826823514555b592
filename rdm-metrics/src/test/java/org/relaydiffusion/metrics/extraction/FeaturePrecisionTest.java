// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.CudaPrecision.Tf32;
import org.relaydiffusion.torch.Device;

/** The settings are LibTorch's, also in a build without CUDA. */
class FeaturePrecisionTest {
  @BeforeEach
  @AfterEach
  void restore() {
    CudaPrecision.DEFAULT.apply();
  }

  private static CudaPrecision chosen(Device device, Tf32 tf32) {
    FeaturePrecision.choose(device, tf32);
    return CudaPrecision.current();
  }

  @Test
  void whatIsRecordedHolds() {
    assertThat(chosen(Device.CPU, Tf32.FORBIDDEN)).isEqualTo(CudaPrecision.DEFAULT);
    for (Tf32 tf32 : Tf32.values()) {
      assertThat(chosen(Device.cuda(0), tf32)).isEqualTo(CudaPrecision.DEFAULT.with(tf32));
    }
  }
}
