// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.random.Seeds;

/** The defaults of the reference's three sampling scripts, as a table. */
@SuppressWarnings("ImmutableEnumChecker") // The records are immutable, but not annotated so.
public enum Preset {
  /** {@code generate}: few steps, no enhancement. */
  GENERATE("generate", "0-63", EdmOptions.DEFAULT, RelayOptions.DEFAULT, Enhancement.NONE),

  /** {@code generate_celebahq}: the paper's CelebA-HQ samples. */
  CELEBAHQ(
      "generate_celebahq",
      "80000-109999",
      EdmOptions.DEFAULT.toBuilder().numSteps(120).sdeScale(0.05).build(),
      RelayOptions.DEFAULT.toBuilder()
          .numSteps(150)
          .truncationSigma(0.95)
          .truncationT(1.05)
          .blurSigmaMax(2)
          .churn(Churn.OFF)
          .build(),
      Enhancement.CELEBAHQ),

  /** {@code generate_imagenet}: the paper's ImageNet samples. */
  IMAGENET(
      "generate_imagenet",
      "10000-59999",
      EdmOptions.DEFAULT.toBuilder().numSteps(256).churn(Churn.IMAGENET).build(),
      RelayOptions.DEFAULT.toBuilder().numSteps(200).rho(100).guidance(3.5).build(),
      Enhancement.IMAGENET);

  /** The default batch size of every script. */
  public static final int DEFAULT_BATCH = 64;

  private final String script;
  private final String seeds;
  private final EdmOptions first;
  private final RelayOptions second;
  private final Enhancement enhancement;

  Preset(
      String script, String seeds, EdmOptions first, RelayOptions second, Enhancement enhancement) {
    this.script = script;
    this.seeds = seeds;
    this.first = first;
    this.second = second;
    this.enhancement = enhancement;
  }

  /**
   * Returns the name of the reference's script without its extension, such as {@code
   * generate_celebahq}.
   */
  public String script() {
    return script;
  }

  /** Returns the seeds as text, as parsed by {@link Seeds#parse}. */
  public String seeds() {
    return seeds;
  }

  /** Returns the options of the first stage. */
  public EdmOptions first() {
    return first;
  }

  /** Returns the options of the second stage. */
  public RelayOptions second() {
    return second;
  }

  /** Returns the post-processing of the images. */
  public Enhancement enhancement() {
    return enhancement;
  }
}
