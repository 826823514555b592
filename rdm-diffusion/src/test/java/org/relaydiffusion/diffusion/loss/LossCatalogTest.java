// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.torch.Tensor;

/** Losses by name. */
class LossCatalogTest {
  /** EDM's loss under another name. */
  private record Renamed(String name) implements Loss {
    @Override
    public Tensor of(
        TrainedDenoiser net,
        Tensor images,
        @Nullable Tensor labels,
        @Nullable AugmentPipe augment,
        NoiseSource random) {
      return new EdmLoss().of(net, images, labels, augment, random);
    }
  }

  /** The reference's, with its defaults, before the one that the tests register. */
  @Test
  void theReferencesLossesComeFirst() {
    LossCatalog catalog = LossCatalog.installed();
    assertThat(catalog.names()).startsWith("vp", "ve", "edm", "blur").contains("toy");
    assertThat(catalog.find("blur")).contains(new BlurLoss(0.15, 4, 0.93, 3));
    assertThat(catalog.find("EDM")).contains(new EdmLoss(-1.2, 1.2, 0.5));
    assertThat(catalog.find("vp").map(Loss::preconditioner)).contains("VPPrecond");
    assertThat(catalog.find("ve").map(Loss::preconditioner)).contains("VEPrecond");
    assertThat(catalog.find("other")).isEmpty();
  }

  @Test
  void aNameIsGivenOnceAndIsPartOfAFoldersName() {
    LossCatalog catalog = LossCatalog.installed();
    assertThat(catalog.with(new Renamed("mine-2")).find("MINE-2")).isPresent();
    assertThatThrownBy(() -> catalog.with(new Renamed("Edm")))
        .isInstanceOf(RdmException.class)
        .hasMessageStartingWith("the name Edm is taken by " + EdmLoss.class.getName());
    for (String name : List.of("", "../up", "a b", "a\nb", "-a")) {
      assertThatThrownBy(() -> catalog.with(new Renamed(name)))
          .isInstanceOf(RdmException.class)
          .hasMessageContaining("must consist of letters, digits, dots, underscores and hyphens")
          .hasMessageNotContaining("\n");
    }
  }

  /** What an unknown loss records of itself, which resuming compares. */
  @Test
  void aLossIsRecordedByItsClass() {
    assertThat(new Renamed("mine").className()).isEqualTo(Renamed.class.getName());
    assertThat(new Renamed("mine").kwargs()).isEmpty();
    assertThat(new EdmLoss().className()).isEqualTo("training.loss.EDMLoss");
    assertThat(new EdmLoss().kwargs().keySet()).containsExactly("P_mean", "P_std", "sigma_data");
  }

  /** Others' code is run to find what is installed: each call gives the reason again. */
  @Test
  void anInstalledLossThatFailsIsTheReasonEachTime() {
    Supplier<LossCatalog> found =
        LossCatalog.found(() -> {
          throw new ServiceConfigurationError("com.example.Gone\nis gone");
        });
    for (int call = 0; call < 2; call++) {
      assertThatThrownBy(found::get)
          .isInstanceOf(RdmException.class)
          .hasMessageStartingWith("an installed loss cannot be loaded: ")
          .hasMessageContaining("Gone")
          .hasMessageNotContaining("\n");
    }
  }
}
