// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The arguments of the networks that benchmarks use. */
public final class OfficialNetworks {
  private OfficialNetworks() {}

  /** The class-conditional network at 256 px: 553 million parameters. */
  public static Map<String, Object> adm256() {
    return adm(256, 1000, 256, List.of(1, 1, 2, 2, 4, 4), 2, List.of(32, 16, 8));
  }

  /** The class-conditional network at 64 px: 296 million parameters. */
  public static Map<String, Object> adm64() {
    return adm(64, 1000, 192, List.of(1, 2, 3, 4), 3, List.of(32, 16, 8));
  }

  /** Returns the one with this resolution, or the next larger one. */
  static Map<String, Object> adm(int resolution) {
    return resolution >= 256 ? adm256() : adm64();
  }

  /** Returns a small network of the same kind, at 16 px with 10 classes. */
  public static Map<String, Object> small(int channels) {
    return adm(16, 10, channels, List.of(1, 2), 1, List.of(8));
  }

  private static Map<String, Object> adm(
      int resolution,
      int classes,
      int channels,
      List<Integer> multipliers,
      int blocks,
      List<Integer> attention) {
    Map<String, Object> kwargs = new LinkedHashMap<>();
    kwargs.put("img_resolution", resolution);
    kwargs.put("img_channels", 3);
    kwargs.put("label_dim", classes);
    kwargs.put("model_type", "DhariwalUNet");
    kwargs.put("model_channels", channels);
    kwargs.put("channel_mult", multipliers);
    kwargs.put("num_blocks", blocks);
    kwargs.put("attn_resolutions", attention);
    return kwargs;
  }
}
