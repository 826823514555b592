package org.relaydiffusion.launch.training;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.loss.BlurLoss;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.diffusion.loss.VeLoss;
import org.relaydiffusion.diffusion.loss.VpLoss;
import org.relaydiffusion.diffusion.train.NetworkPreset;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.IntList;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** Which network is trained, and on which loss. */
final class TrainingNetworkOptions implements Section {
  /** Which diffusion is learned: a preconditioner and a loss. */
  enum Preconditioning {
    VP("VPPrecond"),
    VE("VEPrecond"),
    EDM("EDMPrecond"),
    BLUR("EDMPrecond");

    private final String className;

    Preconditioning(String className) {
      this.className = className;
    }

    String className() {
      return className;
    }

    String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = "--arch",
      paramLabel = "ddpmpp|ncsnpp|adm",
      completionCandidates = Candidates.Architectures.class,
      description =
          "The network's architecture; adm is wider and deeper at exactly 256 pixels. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "adm")
  NetworkPreset architecture = NetworkPreset.ADM;

  @Option(
      names = "--precond",
      paramLabel = "vp|ve|edm|blur",
      completionCandidates = Candidates.Preconditionings.class,
      description =
          "Preconditioning and loss: edm is the relay's first stage, blur its second. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "edm")
  Preconditioning preconditioning = Preconditioning.EDM;

  @Option(
      names = "--cbase",
      paramLabel = "N",
      description = "Channels that --cres multiplies. Default: the architecture's.")
  @Nullable Integer channelBase;

  @Option(
      names = "--cres",
      paramLabel = "LIST",
      description =
          "Channel multipliers, a level each: numbers and ranges, as in 1,2-4. Default: the"
              + " architecture's.")
  @Nullable IntList channelMultipliers;

  @Option(
      names = "--num-blocks",
      paramLabel = "N",
      description = "Residual blocks a level. Default: the architecture's.")
  @Nullable Integer blocks;

  @Option(
      names = "--dropout",
      paramLabel = "P",
      description = "Dropout probability, 0 to 1. Default: ${DEFAULT-VALUE}.",
      defaultValue = "0.13")
  double dropout;

  @Option(
      names = "--label-dropout",
      paramLabel = "P",
      description =
          "Probability that an image is trained without its label, 0 to 1: from about 0.1 on, the"
              + " network can be sampled with guidance. Needs --cond=1. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "0")
  double labelDropout;

  @Option(
      names = "--augment",
      paramLabel = "P",
      description =
          "Probability of each augmentation, 0 to 1; 0 is off. Default: ${DEFAULT-VALUE}.",
      defaultValue = "0.12")
  double augment;

  @Option(
      names = "--eff-attn",
      paramLabel = "BOOL",
      arity = "0..1",
      fallbackValue = "true",
      description =
          "Say in the checkpoint that attention is the memory-efficient kind. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "false")
  boolean efficientAttention;

  @Option(
      names = "--up-scale",
      paramLabel = "S",
      description =
          "blur: the side of a patch in pixels, by which the second stage is larger. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "4")
  int upScale;

  @Option(
      names = "--block-scale",
      paramLabel = "X",
      description = "blur: how strong block noise is, 0 to 1. Default: ${DEFAULT-VALUE}.",
      defaultValue = "0.15")
  double blockScale;

  @Option(
      names = "--prob-length",
      paramLabel = "X",
      description =
          "blur: how much of the noise distribution is trained on, above 0. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "0.93")
  double probLength;

  @Option(
      names = "--blur-sigma-max",
      paramLabel = "X",
      description = "blur: the strongest blur, in pixels. Default: ${DEFAULT-VALUE}.",
      defaultValue = "3")
  double blurSigmaMax;

  @Override
  public String heading() {
    return "Network and loss";
  }

  /**
   * Checks what belongs together.
   *
   * @param conditional whether the network is told the images' labels
   */
  void check(boolean conditional) {
    if (labelDropout != 0 && !conditional) {
      throw new OptionException("--label-dropout needs --cond=1: there are no labels to drop");
    }
  }

  NetworkPreset.Changes changes() {
    if (!(dropout >= 0 && dropout <= 1)) {
      throw new OptionException("--dropout must be 0 to 1, but is " + dropout);
    }
    if (!(labelDropout >= 0 && labelDropout <= 1)) {
      throw new OptionException("--label-dropout must be 0 to 1, but is " + labelDropout);
    }
    return new NetworkPreset.Changes(
        optional(channelBase),
        channelMultipliers == null ? List.of() : channelMultipliers.values(),
        optional(blocks),
        dropout,
        labelDropout,
        efficientAttention);
  }

  private static OptionalInt optional(@Nullable Integer value) {
    return value == null ? OptionalInt.empty() : OptionalInt.of(value);
  }

  Optional<AugmentOptions> augmentation() {
    if (!(augment >= 0 && augment <= 1)) {
      throw new OptionException("--augment must be 0 to 1, but is " + augment);
    }
    return augment == 0 ? Optional.empty() : Optional.of(AugmentOptions.training(augment));
  }

  Loss loss() {
    if (!(blockScale >= 0 && blockScale <= 1)) {
      throw new OptionException("--block-scale must be 0 to 1, but is " + blockScale);
    }
    return switch (preconditioning) {
      case EDM -> new EdmLoss();
      case VP -> new VpLoss();
      case VE -> new VeLoss();
      case BLUR -> new BlurLoss(blockScale, upScale, probLength, blurSigmaMax);
    };
  }
}
