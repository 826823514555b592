// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.tests.bench.OfficialNetworks;
import org.relaydiffusion.tests.bench.ProcessMemory;
import org.relaydiffusion.tests.bench.SyntheticCheckpoint;
import org.relaydiffusion.torch.GradMode;

/** Loading one network of a training state reads that network's bytes and no others. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "resident pages from /proc")
class LoadMemoryTest {
  /** The kernel maps up to 64 KiB around each page that is touched, at either end. */
  private static final long AROUND = 2 * 64 * 1024;

  @TempDir private Path folder;

  @Test
  void inExactNumericsTheAverageIsUsedWhereItLies() throws IOException {
    Path file = folder.resolve("training-state.pt");
    Map<String, Object> kwargs = OfficialNetworks.small(64);
    SyntheticCheckpoint.Written written = SyntheticCheckpoint.write(file, kwargs);
    assertThat(written.fileBytes()).isGreaterThan(4 * written.parameters() * 4);

    try (GradMode _ = GradMode.noGrad();
        Checkpoint checkpoint = Checkpoint.open(file)) {
      long opened = ProcessMemory.residentOf(file);
      assertThat(opened).isLessThan(written.fileBytes() / 3);
      NetworkRecord ema = checkpoint.network();
      assertThat(ema.parameterCount()).isEqualTo(written.parameters());
      try (Preconditioner _ =
          Preconditioner.load(SyntheticCheckpoint.config(kwargs), ema.state(), LoadOptions.EXACT)) {
        assertThat(ProcessMemory.residentOf(file))
            .isGreaterThan(written.networkBytes())
            .isLessThan(opened + written.networkBytes() + AROUND);
      }
    }
  }

  @Test
  void inFastNumericsThePagesOfPackedWeightsAreLetGo() throws IOException {
    Path file = folder.resolve("training-state.pt");
    Map<String, Object> kwargs = OfficialNetworks.small(64);
    SyntheticCheckpoint.Written written = SyntheticCheckpoint.write(file, kwargs);

    try (GradMode _ = GradMode.noGrad();
        Checkpoint checkpoint = Checkpoint.open(file)) {
      long opened = ProcessMemory.residentOf(file);
      try (Preconditioner _ =
          Preconditioner.load(
              SyntheticCheckpoint.config(kwargs),
              checkpoint.network().state(),
              LoadOptions.DEFAULT)) {
        assertThat(ProcessMemory.residentOf(file)).isLessThan(opened + written.networkBytes() / 4);
      }
    }
  }
}
