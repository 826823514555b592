// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.CudaPrecision.Tf32;
import org.relaydiffusion.torch.Device;

/** The settings are LibTorch's, also in a build without CUDA. */
class TrainingPrecisionTest {
  @BeforeEach
  @AfterEach
  void restore() {
    CudaPrecision.DEFAULT.apply();
  }

  private static TrainingOptions options(Device device, Optional<Tf32> tf32) {
    TrainingOptions o = TinyRun.edm(4, 4, 1, 1).options(new TrainingOptions.Start.Fresh(), 1);
    TrainingOptions.Builder options =
        o.toBuilder().running(new LoadOptions(o.running().numerics(), o.running().dtype(), device));
    tf32.ifPresent(options::tf32);
    return options.build();
  }

  private static CudaPrecision chosen(Device device, Optional<Tf32> tf32) {
    TrainingPrecision.choose(options(device, tf32), TrainingListener.NONE);
    return CudaPrecision.current();
  }

  @Test
  void trainingRoundsAsTheReferenceDoesUnlessToldOtherwise() {
    assertThat(chosen(Device.CPU, Optional.of(Tf32.FORBIDDEN))).isEqualTo(CudaPrecision.DEFAULT);
    assertThat(chosen(Device.cuda(0), Optional.empty())).isEqualTo(CudaPrecision.FULL);
    assertThat(chosen(Device.cuda(0), Optional.of(Tf32.ALLOWED)))
        .isEqualTo(new CudaPrecision(Tf32.ALLOWED, Tf32.ALLOWED, CudaPrecision.HalfSums.FULL));
    assertThat(chosen(Device.cuda(0), Optional.of(Tf32.FORBIDDEN))).isEqualTo(CudaPrecision.FULL);
  }

  @Test
  void resumingWithAnotherPrecisionIsTold() {
    TrainingOptions on = options(Device.cuda(0), Optional.of(Tf32.ALLOWED));
    TrainingOptions off = options(Device.cuda(0), Optional.empty());
    try (ImageFolderDataset dataset = Trainer.open(on)) {
      assertThat(
              OptionDifferences.between(
                      ResolvedOptions.of(off, dataset, 1), ResolvedOptions.of(on, dataset, 1))
                  .text(OptionDifferences.Effect.RESULTS))
          .contains("tf32 true instead of false");
      assertThat(ResolvedOptions.of(options(Device.CPU, Optional.empty()), dataset, 1))
          .doesNotContainKey("tf32");
    }
  }
}
