// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.List;
import java.util.stream.IntStream;
import org.relaydiffusion.diffusion.guidance.GuidanceOptions;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.random.Seeds;

/**
 * The defaults of the reference's three sampling scripts, as a table with a row per stage. The
 * scripts have two stages; each further one has the defaults of the second with {@code up_scale} 2.
 */
@SuppressWarnings("ImmutableEnumChecker") // The records are immutable, but not annotated so.
public enum Preset {
  /** {@code generate}: few steps, no enhancement. */
  GENERATE(
      "generate",
      "0-63",
      StageOptions.of(EdmOptions.DEFAULT),
      StageOptions.of(RelayOptions.DEFAULT),
      Enhancement.NONE),

  /** {@code generate_celebahq}: the paper's CelebA-HQ samples. */
  CELEBAHQ(
      "generate_celebahq",
      "80000-109999",
      StageOptions.of(EdmOptions.DEFAULT.toBuilder().numSteps(120).sdeScale(0.05).build()),
      StageOptions.of(
          RelayOptions.DEFAULT.toBuilder()
              .numSteps(150)
              .truncationSigma(0.95)
              .truncationT(1.05)
              .blurSigmaMax(2)
              .churn(Churn.OFF)
              .build()),
      Enhancement.CELEBAHQ),

  /** {@code generate_imagenet}: the paper's ImageNet samples. */
  IMAGENET(
      "generate_imagenet",
      "10000-59999",
      StageOptions.of(EdmOptions.DEFAULT.toBuilder().numSteps(256).churn(Churn.IMAGENET).build()),
      new StageOptions(
          RelayOptions.DEFAULT.toBuilder().numSteps(200).rho(100).build(),
          GuidanceOptions.scale(3.5)),
      Enhancement.IMAGENET);

  /** The default batch size of every script. */
  public static final int DEFAULT_BATCH = 64;

  /** The side of a patch in each stage after the second. */
  private static final int FURTHER_UP_SCALE = 2;

  private final String script;
  private final String seeds;
  private final StageOptions fromNoise;
  private final StageOptions relay;
  private final Enhancement enhancement;

  Preset(
      String script,
      String seeds,
      StageOptions fromNoise,
      StageOptions relay,
      Enhancement enhancement) {
    this.script = script;
    this.seeds = seeds;
    this.fromNoise = fromNoise;
    this.relay = relay;
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

  /**
   * Returns the options of a stage.
   *
   * @param index from 0
   */
  public StageOptions stage(int index) {
    return switch (index) {
      case 0 -> fromNoise;
      case 1 -> relay;
      default -> further();
    };
  }

  private StageOptions further() {
    RelayOptions second = (RelayOptions) relay.solver();
    return relay.with(second.toBuilder().upScale(FURTHER_UP_SCALE).build());
  }

  /** Returns the options of all stages that a pipeline can have. */
  public List<StageOptions> stages() {
    return IntStream.range(0, StageNames.all().size()).mapToObj(this::stage).toList();
  }

  /** Returns the post-processing of the images. */
  public Enhancement enhancement() {
    return enhancement;
  }
}
