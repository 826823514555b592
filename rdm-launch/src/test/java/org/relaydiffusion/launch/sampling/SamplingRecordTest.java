// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.ClassList;
import org.relaydiffusion.diffusion.ComputeType;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.diffusion.random.Seeds;
import org.relaydiffusion.launch.download.SourceFile;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.sampling.SamplingJob.Existing;
import org.relaydiffusion.launch.sampling.SamplingJob.Metadata;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.LaunchGrid;

class SamplingRecordTest {
  @TempDir private Path folder;

  private SamplingRecord record(Optional<LaunchGrid> grid) throws IOException {
    Path network = Files.writeString(folder.resolve("network.pt"), "weights");
    SamplingJob job =
        new SamplingJob(
            "generate",
            StageNetworks.of(List.of(SourceFile.of(network))),
            new SamplingJob.Target(
                folder,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Existing.KEEP,
                Metadata.WRITE),
            Seeds.parse("0"),
            "0",
            1,
            ClassList.ALL,
            StageRange.only(0),
            Preset.GENERATE.stages(),
            Preset.GENERATE.enhancement(),
            new SamplingJob.Runtime(
                Device.cuda(0),
                ComputeType.AUTO,
                Numerics.FAST,
                CudaGraphs.AUTO,
                Noise.AUTO,
                OptionalInt.empty(),
                Optional.empty()),
            Rank.SINGLE,
            Optional.empty());
    return SamplingRecord.of(job).withNoiseGrid(grid);
  }

  /** Large images of one seed are others on a GPU with another launch grid. */
  @Test
  void imagesWhoseNoiseDependsOnTheGpuAreKeptForTheSameGridOnly() throws IOException {
    record(Optional.of(LaunchGrid.V100)).write(Optional.empty());

    assertThat(record(Optional.of(LaunchGrid.V100)).requireSame()).isEmpty();
    assertThat(record(Optional.of(LaunchGrid.V100)).isWritten()).isTrue();
    SamplingRecord other = record(Optional.of(LaunchGrid.RTX_3090));
    SamplingRecord any = record(Optional.empty());
    assertThatThrownBy(other::requireSame)
        .isInstanceOf(FileException.class)
        .hasMessageContaining("noise_grid rtx3090 instead of v100");
    assertThatThrownBy(any::requireSame).hasMessageContaining("noise_grid none instead of v100");
    assertThat(record(Optional.of(LaunchGrid.V100)).key()).isNotEqualTo(other.key());
  }
}
