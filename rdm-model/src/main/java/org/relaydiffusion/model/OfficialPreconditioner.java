// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.List;
import java.util.function.Function;

/** The four preconditioners of the reference (EDM, arXiv 2206.00364, table 1). */
@SuppressWarnings("ImmutableEnumChecker") // The function and the list are constants.
public enum OfficialPreconditioner implements PreconditionerKind {
  /** EDM's own. */
  EDM(
      "EDMPrecond",
      "DhariwalUNet",
      EdmPreconditioner::new,
      sigma("sigma_min", 0),
      sigma("sigma_max", Double.POSITIVE_INFINITY),
      Setting.real("sigma_data", 0.5, 1e-6, 1e6)),

  /** Variance preserving. */
  VP(
      "VPPrecond",
      "SongUNet",
      VpPreconditioner::new,
      Setting.real("beta_d", 19.9, 0, 1e6),
      Setting.real("beta_min", 0.1, 0, 1e6),
      steps(),
      Setting.real("epsilon_t", 1e-5, 0, 1)),

  /** Variance exploding. */
  VE(
      "VEPrecond",
      "SongUNet",
      VePreconditioner::new,
      sigma("sigma_min", 0.02),
      sigma("sigma_max", 100)),

  /** Improved DDPM. Its network also puts out variances, which are not used. */
  IDDPM(
      "iDDPMPrecond",
      "DhariwalUNet",
      IddpmPreconditioner::new,
      Setting.real("C_1", 0.001, 0, 1),
      Setting.real("C_2", 0.008, 0, 1),
      steps()) {
    @Override
    public int outChannels(int channels) {
      return 2 * channels;
    }
  };

  private final String className;
  private final String defaultArchitecture;
  private final Function<ModelConfig, Preconditioner> maker;
  private final List<Setting> settings;

  OfficialPreconditioner(
      String className,
      String defaultArchitecture,
      Function<ModelConfig, Preconditioner> maker,
      Setting... settings) {
    this.className = className;
    this.defaultArchitecture = defaultArchitecture;
    this.maker = maker;
    this.settings = List.of(settings);
  }

  private static Setting sigma(String name, double fallback) {
    return Setting.real(name, fallback, 0, Double.POSITIVE_INFINITY);
  }

  private static Setting steps() {
    return Setting.whole("M", 1000, 2, 1 << 20);
  }

  @Override
  public String className() {
    return className;
  }

  @Override
  public String defaultArchitecture() {
    return defaultArchitecture;
  }

  @Override
  public List<Setting> settings() {
    return settings;
  }

  @Override
  public void check(Settings s) {
    if (s.has("sigma_min") && s.real("sigma_max") < s.real("sigma_min")) {
      throw new ModelException(
          "%s: sigma_max must be a number from %s (sigma_min) to Infinity, not %s"
              .formatted(className, s.real("sigma_min"), s.real("sigma_max")));
    }
  }

  @Override
  public Preconditioner make(ModelConfig config) {
    return maker.apply(config);
  }
}
