// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.data.Batch;
import org.relaydiffusion.diffusion.data.DataLoader;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.random.InfiniteSampler;
import org.relaydiffusion.nativeconfig.Doctor;
import org.relaydiffusion.torch.Device;

/**
 * Batches that go to an NVIDIA GPU through pinned memory. Skipped, with doctor's reason, where no
 * such device can be used.
 */
@Tag("gpu")
class DataLoaderGpuTest {
  private static final Device GPU = Device.cuda(0);
  private static final Path SET =
      Path.of(System.getProperty("rdm.fixtures", "fixtures"))
          .resolve("dataset/convert/center_crop.zip");

  @Test
  void batchesArriveWholeThoughTheirMemoryIsUsedAgain() {
    Optional<String> reason = Doctor.examine().cuda().whyUnusable();
    assumeTrue(reason.isEmpty(), () -> "CUDA cannot be used: " + reason.orElse(""));
    try (var data = ImageFolderDataset.open(SET, DatasetOptions.DEFAULT.withLabels().withCache());
        var loader = new DataLoader(data, sampler(data), 5, 2, GPU);
        var plain = new DataLoader(data, sampler(data), 5, 0, Device.CPU)) {
      List<Batch> batches = new ArrayList<>();
      // Handed out without waiting for any copy, so that pinned memory comes around early if ever.
      for (int i = 0; i < 40; i++) {
        batches.add(loader.next());
      }
      for (Batch batch : batches) {
        try (batch;
            Batch wanted = plain.next()) {
          assertThat(batch.images().device()).isEqualTo(GPU);
          assertThat(batch.labels().device()).isEqualTo(GPU);
          assertThat(batch.indices()).isEqualTo(wanted.indices());
          assertThat(Arrays.equals(batch.images().toLongs(), wanted.images().toLongs())).isTrue();
          assertThat(batch.labels().toFloats()).isEqualTo(wanted.labels().toFloats());
        }
      }
    }
  }

  @Test
  void setsWithoutLabelsWorkToo() {
    Optional<String> reason = Doctor.examine().cuda().whyUnusable();
    assumeTrue(reason.isEmpty(), () -> "CUDA cannot be used: " + reason.orElse(""));
    try (var data = ImageFolderDataset.open(SET, DatasetOptions.DEFAULT);
        var loader = new DataLoader(data, sampler(data), 2, 1, GPU);
        Batch batch = loader.next()) {
      assertThat(batch.labels().shape()).containsExactly(2, 0);
      assertThat(batch.labels().device()).isEqualTo(GPU);
    }
  }

  private static InfiniteSampler sampler(ImageFolderDataset data) {
    return InfiniteSampler.shuffled(data.size(), 0, 1, 0, InfiniteSampler.DEFAULT_WINDOW);
  }
}
