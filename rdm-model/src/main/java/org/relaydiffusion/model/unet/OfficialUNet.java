// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.unet;

import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.Setting;

/** The two U-Nets of the reference. */
@SuppressWarnings("ImmutableEnumChecker") // The functions are constants.
public enum OfficialUNet implements Architecture {
  /** ADM (Dhariwal and Nichol, arXiv 2105.05233). */
  DHARIWAL("DhariwalUNet", Row::dhariwal, DhariwalUNet::new),

  /** DDPM++ and NCSN++ (Song, arXiv 2011.13456). */
  SONG("SongUNet", Row::song, SongUNet::new);

  private static final int MAX_RESOLUTION = 4096;

  /** Each setting with its default in {@code DhariwalUNet} and in {@code SongUNet}. */
  private static final List<Row> TABLE =
      List.of(
          row(v -> Setting.whole("model_channels", v, 1, UNetConfig.MAX_WIDTH), 192, 128),
          row(
              v -> Setting.wholes("channel_mult", v, 1, 256, 12),
              List.of(1, 2, 3, 4),
              List.of(1, 2, 2, 2)),
          row(v -> Setting.whole("channel_mult_emb", v, 1, 64), 4, 4),
          row(v -> Setting.whole("num_blocks", v, 0, 64), 3, 4),
          row(
              v -> Setting.wholes("attn_resolutions", v, 1, MAX_RESOLUTION, 64),
              List.of(32, 16, 8),
              List.of(16)),
          row(v -> Setting.real("dropout", v, 0, 1), 0.10, 0.10),
          row(v -> Setting.real("label_dropout", v, 0, 1), 0.0, 0.0),
          new Row(Setting.flag("eff_attn"), Setting.flag("eff_attn")),
          new Row(null, Setting.whole("channel_mult_noise", 1, 1, 64)),
          new Row(null, Setting.choice("embedding_type", "positional", "fourier")),
          new Row(null, Setting.choice("encoder_type", "standard", "skip", "residual")),
          new Row(null, Setting.choice("decoder_type", "standard", "skip")),
          new Row(null, Setting.wholes("resample_filter", List.of(1, 1), 1, 1 << 10, 32)));

  private final String className;
  private final Function<Row, @Nullable Setting> column;
  private final Function<UNetConfig, UNet> maker;

  private record Row(@Nullable Setting dhariwal, @Nullable Setting song) {}

  OfficialUNet(
      String className, Function<Row, @Nullable Setting> column, Function<UNetConfig, UNet> maker) {
    this.className = className;
    this.column = column;
    this.maker = maker;
  }

  private static <T> Row row(Function<T, Setting> setting, T dhariwal, T song) {
    return new Row(setting.apply(dhariwal), setting.apply(song));
  }

  @Override
  public String className() {
    return className;
  }

  @Override
  public List<Setting> settings() {
    return TABLE.stream()
        .map(column)
        .flatMap(Stream::ofNullable)
        .map(Objects::requireNonNull)
        .toList();
  }

  @Override
  public void check(NetworkConfig config) {
    UNetConfig.of(config).check();
  }

  @Override
  public UNet make(NetworkConfig config) {
    return maker.apply(UNetConfig.of(config));
  }
}
