// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.model.unet.Architecture;
import org.relaydiffusion.model.unet.NetworkConfig;
import org.relaydiffusion.model.unet.OfficialUNet;
import org.relaydiffusion.model.unet.UNet;
import org.relaydiffusion.model.unet.UNetConfig;

/** Kinds of networks by name, and the table of the official ones' settings. */
class NetworkCatalogTest {
  private static final Map<String, Object> IMAGES =
      Map.of("img_resolution", 32L, "img_channels", 3L);

  /** ADM's U-Net under another name. */
  private record Renamed(String className) implements Architecture {
    @Override
    public List<Setting> settings() {
      return OfficialUNet.DHARIWAL.settings();
    }

    @Override
    public UNet make(NetworkConfig config) {
      return OfficialUNet.DHARIWAL.make(
          new NetworkConfig(
              OfficialUNet.DHARIWAL,
              config.resolution(),
              config.inChannels(),
              config.outChannels(),
              config.labelDim(),
              config.augmentDim(),
              config.settings()));
    }
  }

  @Test
  void aProgramAddsAnArchitectureToACopy() {
    NetworkCatalog catalog = NetworkCatalog.installed().with(new Renamed("Mine"));
    Map<String, Object> kwargs =
        Map.of(
            "img_resolution", 32L, "img_channels", 3L, "model_type", "Mine", "model_channels", 8L);
    try (Preconditioner network = Preconditioner.of(ModelConfig.of("VPPrecond", kwargs, catalog))) {
      assertThat(network.state()).containsKey("model.out_conv.weight");
    }
    assertThat(NetworkCatalog.installed().architectures())
        .containsExactly("DhariwalUNet", "SongUNet");
    assertThatThrownBy(() -> ModelConfig.of("VPPrecond", kwargs))
        .hasMessageContaining("model_type must be one of DhariwalUNet, SongUNet, not \"Mine\"");
  }

  @Test
  void aNameIsGivenOnce() {
    NetworkCatalog catalog = NetworkCatalog.installed();
    assertThatThrownBy(() -> catalog.with(new Renamed("SongUNet")))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith("the name SongUNet is taken by ");
    assertThatThrownBy(() -> catalog.with((PreconditionerKind) OfficialPreconditioner.VE))
        .hasMessageStartingWith("the name VEPrecond is taken by ");
  }

  /** Others' code is loaded and run to find what is installed: each call gives the reason again. */
  @Test
  void anInstalledNetworkThatFailsIsTheReasonEachTime() {
    for (Throwable failure :
        List.of(
            new NoClassDefFoundError("com/example/Gone"),
            new ServiceConfigurationError("com.example.Gone"),
            new IllegalStateException("com.example.Gone\nis gone"))) {
      NetworkCatalog.Found found =
          NetworkCatalog.Found.by(() -> {
            throw NetworkCatalogTest.<RuntimeException>unchecked(failure);
          });
      for (int call = 0; call < 2; call++) {
        assertThatThrownBy(found::get)
            .isInstanceOf(ModelException.class)
            .hasMessageStartingWith("an installed network cannot be loaded: ")
            .hasMessageContaining("Gone")
            .hasMessageNotContaining("\n")
            .hasRootCause(failure);
      }
    }
    assertThat(NetworkCatalog.Found.by(NetworkCatalog::installed).get())
        .isSameAs(NetworkCatalog.installed());
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // Throws whatever is given.
  private static <E extends Throwable> E unchecked(Throwable failure) throws E {
    throw (E) failure;
  }

  /** The defaults of the reference's constructors. */
  @Test
  void eachOfficialUNetHasItsDefaults() {
    UNetConfig adm = UNetConfig.of(ModelConfig.of("EDMPrecond", IMAGES).network());
    assertThat(adm.architecture()).isEqualTo(OfficialUNet.DHARIWAL);
    assertThat(adm.modelChannels()).isEqualTo(192);
    assertThat(adm.channelMult()).containsExactly(1, 2, 3, 4);
    assertThat(adm.numBlocks()).isEqualTo(3);
    assertThat(adm.attnResolutions()).containsExactly(32, 16, 8);
    assertThat(adm.embChannels()).isEqualTo(768);
    assertThat(adm.dropout()).isEqualTo(0.1);
    UNetConfig song = UNetConfig.of(ModelConfig.of("VEPrecond", IMAGES).network());
    assertThat(song.architecture()).isEqualTo(OfficialUNet.SONG);
    assertThat(song.modelChannels()).isEqualTo(128);
    assertThat(song.channelMult()).containsExactly(1, 2, 2, 2);
    assertThat(song.numBlocks()).isEqualTo(4);
    assertThat(song.attnResolutions()).containsExactly(16);
    assertThat(song.embChannels()).isEqualTo(512);
    assertThat(song.channelMultNoise()).isEqualTo(1);
    assertThat(song.encoder()).isEqualTo(UNetConfig.Path.STANDARD);
    assertThat(song.resampleFilter()).containsExactly(1, 1);
  }

  /** As Python's keyword arguments, which reach the constructor that has them or none. */
  @Test
  void aSettingOfAnotherKindIsRefused() {
    Map<String, Object> song = Map.of("img_resolution", 32L, "img_channels", 3L, "beta_d", 19.9);
    assertThatThrownBy(() -> ModelConfig.of("EDMPrecond", song))
        .hasMessage("EDMPrecond has no setting 'beta_d'");
    Map<String, Object> adm =
        Map.of("img_resolution", 32L, "img_channels", 3L, "encoder_type", "residual");
    assertThatThrownBy(() -> ModelConfig.of("EDMPrecond", adm))
        .hasMessage("EDMPrecond has no setting 'encoder_type'");
    Map<String, Object> levels =
        Map.of("img_resolution", 32L, "img_channels", 3L, "sigma_min", 2, "sigma_max", 1);
    assertThatThrownBy(() -> ModelConfig.of("EDMPrecond", levels))
        .hasMessage(
            "EDMPrecond: sigma_max must be a number from 2.0 (sigma_min) to Infinity, not 1.0");
  }
}
