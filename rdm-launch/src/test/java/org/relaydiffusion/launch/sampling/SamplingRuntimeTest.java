// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.ComputeType;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.CudaPrecision.Tf32;
import org.relaydiffusion.torch.Device;

class SamplingRuntimeTest {
  private static SamplingJob.Runtime runtime(Device device, Optional<Tf32> tf32) {
    return new SamplingJob.Runtime(
        device,
        ComputeType.AUTO,
        Numerics.EXACT,
        CudaGraphs.AUTO,
        Noise.CPU,
        OptionalInt.empty(),
        tf32);
  }

  /** Folders of earlier versions have no such line, and are of the default. */
  @Test
  void tensorFloat32IsRecordedWhereItWasChosenAndMatters() {
    assertThat(runtime(Device.cuda(1), Optional.of(Tf32.ALLOWED)).recordedTf32()).isTrue();
    assertThat(runtime(Device.cuda(1), Optional.of(Tf32.FORBIDDEN)).recordedTf32()).isFalse();
    assertThat(runtime(Device.cuda(1), Optional.empty()).recordedTf32()).isNull();
    assertThat(runtime(Device.CPU, Optional.of(Tf32.ALLOWED)).recordedTf32()).isNull();
  }
}
