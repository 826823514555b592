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
      split = ",",
      description =
          "Channel multipliers, a level each, as in 1,2,3,4. Default: the architecture's.")
  List<Integer> channelMultipliers = List.of();

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
      description = "blur: how strong block noise is, at least 0. Default: ${DEFAULT-VALUE}.",
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

  NetworkPreset.Changes changes() {
    if (!(dropout >= 0 && dropout <= 1)) {
      throw new OptionException("--dropout must be 0 to 1, but is " + dropout);
    }
    return new NetworkPreset.Changes(
        optional(channelBase), channelMultipliers, optional(blocks), dropout, efficientAttention);
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
    return switch (preconditioning) {
      case EDM -> new EdmLoss();
      case VP -> new VpLoss();
      case VE -> new VeLoss();
      case BLUR -> new BlurLoss(blockScale, upScale, probLength, blurSigmaMax);
    };
  }
}
