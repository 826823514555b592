// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.Device;

class ComputeOptionsTest {
  private static final Rank THIRD_OF_ITS_NODE = new Rank(6, 8, 2, 4, "Slurm");

  private static Device device(String option, Rank rank, int visibleGpus) {
    ComputeOptions options = new ComputeOptions();
    options.device = option;
    return options.device(rank, () -> visibleGpus);
  }

  @Test
  void cudaIsTheGpuWithTheProcesssLocalNumber() {
    assertThat(device("cuda", THIRD_OF_ITS_NODE, 4)).isEqualTo(Device.cuda(2));
    // Too few of them: the process says so when it looks for its own.
    assertThat(device("cuda", THIRD_OF_ITS_NODE, 2)).isEqualTo(Device.cuda(2));
    assertThat(device("cuda", THIRD_OF_ITS_NODE, 0)).isEqualTo(Device.cuda(2));
    assertThat(device("cuda", Rank.SINGLE, 8)).isEqualTo(Device.cuda(0));
  }

  @Test
  void tensorFloat32IsLeftToTheCommandUnlessChosen() {
    ComputeOptions options = new ComputeOptions();
    assertThat(options.tf32()).isEmpty();
    options.tf32 = Switch.ON;
    assertThat(options.tf32()).contains(CudaPrecision.Tf32.ALLOWED);
    options.tf32 = Switch.OFF;
    assertThat(options.tf32()).contains(CudaPrecision.Tf32.FORBIDDEN);
  }

  @Test
  void aProcessThatIsShownOneGpuUsesIt() {
    assertThat(device("cuda", THIRD_OF_ITS_NODE, 1)).isEqualTo(Device.cuda(0));
  }

  @Test
  void autoIsCudaWhereItIsUsableAndElseTheCpu() {
    assertThat(new ComputeOptions().device).isEqualTo("auto");
    assertThat(device("auto", Rank.SINGLE, 0)).isEqualTo(Device.CPU);
    assertThat(device("auto", THIRD_OF_ITS_NODE, 0)).isEqualTo(Device.CPU);
    assertThat(device("auto", Rank.SINGLE, 1)).isEqualTo(Device.cuda(0));
    assertThat(device("auto", THIRD_OF_ITS_NODE, 4)).isEqualTo(Device.cuda(2));
    assertThat(device("auto", THIRD_OF_ITS_NODE, 1)).isEqualTo(Device.cuda(0));
    // Never some ranks on the CPU and some on GPUs: this one says that its GPU is missing.
    assertThat(device("auto", THIRD_OF_ITS_NODE, 2)).isEqualTo(Device.cuda(2));
  }

  @Test
  void aNumberIsTakenAsItIs() {
    assertThat(device("cuda:1", THIRD_OF_ITS_NODE, 4)).isEqualTo(Device.cuda(1));
    assertThat(device("cpu", THIRD_OF_ITS_NODE, 1)).isEqualTo(Device.CPU);
  }
}
