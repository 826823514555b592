// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LaunchGridTest {
  private static final long SMALL = 3 * 64 * 64;
  private static final long LARGE = 3 * 256 * 256;

  /** As docs/parity.md says of the GPUs it names. */
  @Test
  void imagesOf256PixelsDependOnSomeGpusAndThoseOf64OnNone() {
    assertThat(LaunchGrid.V100.limits(LARGE)).isTrue();
    assertThat(LaunchGrid.RTX_3090.limits(LARGE)).isTrue();
    assertThat(LaunchGrid.RTX_4090.limits(LARGE)).isFalse();
    assertThat(LaunchGrid.A100.limits(LARGE)).isFalse();
    assertThat(LaunchGrid.H100.limits(LARGE)).isFalse();
    assertThat(LaunchGrid.RTX_3090.limits(SMALL)).isFalse();
  }

  @Test
  void theLastDrawOfOneElementAThreadDoesNotDependOnTheGrid() {
    LaunchGrid grid = new LaunchGrid(2);
    assertThat(grid.limits(512)).isFalse();
    assertThat(grid.limits(513)).isTrue();
    assertThat(new LaunchGrid(LaunchGrid.MOST).limits(1L << 31)).isTrue();
  }

  @Test
  void theCpuAndAbsentDevicesHaveNone() {
    assertThat(LaunchGrid.of(Device.CPU)).isEmpty();
    assertThat(LaunchGrid.of(Device.cuda(97))).isEmpty();
  }
}
