// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.loss.BlurLoss;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.diffusion.train.NetworkPreset;
import org.relaydiffusion.diffusion.train.TrainingNetwork;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.IntList;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** The network to train, and its loss; defaults come from {@link TrainingDefaults}. */
final class TrainingNetworkOptions implements Section {
  @Option(
      names = "--arch",
      paramLabel = "ddpmpp|ncsnpp|adm",
      completionCandidates = Candidates.Architectures.class,
      description =
          "Architecture of the network; adm is wider and deeper at exactly 256 pixels. Default:"
              + " ${DEFAULT-VALUE}.")
  NetworkPreset architecture = NetworkPreset.ADM;

  @Option(
      names = "--precond",
      paramLabel = "vp|ve|edm|blur",
      completionCandidates = Candidates.Preconditionings.class,
      description =
          "Preconditioning and loss: edm for the first stage of the relay, blur for the second, or"
              + " the name of an installed loss or preconditioner. Default: ${DEFAULT-VALUE}.")
  Preconditioning preconditioning = Preconditioning.of(new EdmLoss());

  @Option(
      names = "--cbase",
      paramLabel = "N",
      description =
          "Base number of channels, multiplied by --cres. Default: that of the architecture.")
  @Nullable Integer channelBase;

  @Option(
      names = "--cres",
      paramLabel = "LIST",
      description =
          "Channel multipliers, one per level: numbers and ranges, as in 1,2-4. Default: those of"
              + " the architecture.")
  @Nullable IntList channelMultipliers;

  @Option(
      names = "--num-blocks",
      paramLabel = "N",
      description = "Residual blocks per level. Default: that of the architecture.")
  @Nullable Integer blocks;

  @Option(
      names = "--dropout",
      paramLabel = "P",
      description = "Dropout probability, 0 to 1. Default: ${DEFAULT-VALUE}.")
  double dropout;

  @Option(
      names = "--label-dropout",
      paramLabel = "P",
      description =
          "Probability of dropping the label of a training image, 0 to 1; with about 0.1, the"
              + " network can be sampled with guidance. Requires --cond=1. Default:"
              + " ${DEFAULT-VALUE}.")
  double labelDropout;

  @Option(
      names = "--augment",
      paramLabel = "P",
      description =
          "Probability of each augmentation, 0 to 1; 0 disables augmentation. Default:"
              + " ${DEFAULT-VALUE}.")
  double augment;

  @Option(
      names = "--eff-attn",
      paramLabel = "BOOL",
      arity = "0..1",
      fallbackValue = "true",
      description =
          "Record in the checkpoint that attention is memory-efficient. Default:"
              + " ${DEFAULT-VALUE}.")
  boolean efficientAttention;

  @Option(
      names = "--up-scale",
      paramLabel = "S",
      description =
          "blur: upsampling factor of the second stage, and side of a blur patch in pixels."
              + " Default:"
              + " ${DEFAULT-VALUE}.")
  int upScale;

  @Option(
      names = "--block-scale",
      paramLabel = "X",
      description = "blur: strength of the block noise, 0 to 1. Default: ${DEFAULT-VALUE}.")
  double blockScale;

  @Option(
      names = "--prob-length",
      paramLabel = "X",
      description =
          "blur: range of the noise distribution used for training, above 0. Default:"
              + " ${DEFAULT-VALUE}.")
  double probLength;

  @Option(
      names = "--blur-sigma-max",
      paramLabel = "X",
      description =
          "blur: standard deviation of the strongest blur, in pixels. Default: ${DEFAULT-VALUE}.")
  double blurSigmaMax;

  @Override
  public String heading() {
    return "Network and loss";
  }

  /**
   * Checks the combination of options.
   *
   * @param conditional whether the network receives the labels of the images
   */
  void check(boolean conditional) {
    if (labelDropout != 0 && !conditional) {
      throw new OptionException("--label-dropout requires --cond=1: there are no labels to drop");
    }
  }

  /**
   * Returns the network.
   *
   * @param halfPrecision whether checkpoints request float16 on CUDA, which is recorded even if the
   *     CPU computes in float32
   */
  TrainingNetwork network(boolean halfPrecision) {
    return new TrainingNetwork.Preset(
        preconditioning.className(),
        architecture,
        changes(),
        halfPrecision ? Map.of("use_fp16", true) : Map.of());
  }

  private NetworkPreset.Changes changes() {
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
    return preconditioning.loss() instanceof BlurLoss
        ? new BlurLoss(blockScale, upScale, probLength, blurSigmaMax)
        : preconditioning.loss();
  }
}
