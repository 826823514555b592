// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.Device;

class PeersTest {
  @Test
  void allProcessesComputeOnOneKindOfDevice() {
    assertThatCode(() -> Peers.requireSameType(Device.Type.CUDA, "CUDA"))
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> Peers.requireSameType(Device.Type.CPU, "CUDA"))
        .isInstanceOf(OptionException.class)
        .hasMessage("this process uses cpu, but rank 0 uses cuda: specify --device explicitly");
  }
}
