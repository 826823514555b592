// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The named network architectures of the reference's training script. */
public enum NetworkPreset {
  /** DDPM++ (Song et al., arXiv 2011.13456). */
  DDPMPP,
  /** NCSN++ (Song et al., arXiv 2011.13456). */
  NCSNPP,
  /** ADM (Dhariwal and Nichol, arXiv 2105.05233). */
  ADM;

  private static final int WIDE_AT = 256;

  /**
   * Changes to a preset.
   *
   * @param channelBase C, the base number of channels ({@code --cbase}); that of the preset if
   *     empty
   * @param channelMultipliers one multiplier per level ({@code --cres}); those of the preset if
   *     empty
   * @param blocks residual blocks per level ({@code --num-blocks}); that of the preset if empty
   * @param dropout probability, 0 to 1
   * @param labelDropout probability of dropping the label of a training image, 0 to 1, which
   *     enables guidance ({@code --label-dropout})
   * @param efficientAttention whether LibTorch's fused attention is used ({@code --eff-attn})
   */
  public record Changes(
      OptionalInt channelBase,
      List<Integer> channelMultipliers,
      OptionalInt blocks,
      double dropout,
      double labelDropout,
      boolean efficientAttention) {
    /** No changes, with the default dropout of the reference's training script. */
    public static final Changes NONE =
        new Changes(OptionalInt.empty(), List.of(), OptionalInt.empty(), 0.13, 0, false);

    /** Copies the list. */
    public Changes {
      channelMultipliers = List.copyOf(channelMultipliers);
    }

    /** Returns a builder that starts from these changes. */
    public Builder toBuilder() {
      return new Builder(this);
    }

    /** Builds changes. */
    public static final class Builder {
      private OptionalInt channelBase;
      private List<Integer> channelMultipliers;
      private OptionalInt blocks;
      private double dropout;
      private double labelDropout;
      private boolean efficientAttention;

      private Builder(Changes from) {
        channelBase = from.channelBase;
        channelMultipliers = from.channelMultipliers;
        blocks = from.blocks;
        dropout = from.dropout;
        labelDropout = from.labelDropout;
        efficientAttention = from.efficientAttention;
      }

      /** Sets C, the base number of channels ({@code --cbase}). */
      public Builder channelBase(int value) {
        channelBase = OptionalInt.of(value);
        return this;
      }

      /** Sets one multiplier of C per level ({@code --cres}). */
      public Builder channelMultipliers(List<Integer> values) {
        channelMultipliers = values;
        return this;
      }

      /** Sets the residual blocks per level ({@code --num-blocks}). */
      public Builder blocks(int value) {
        blocks = OptionalInt.of(value);
        return this;
      }

      /** Sets the dropout probability, 0 to 1 ({@code --dropout}). */
      public Builder dropout(double value) {
        dropout = value;
        return this;
      }

      /** Sets the probability of dropping a label, 0 to 1 ({@code --label-dropout}). */
      public Builder labelDropout(double value) {
        labelDropout = value;
        return this;
      }

      /** Sets whether LibTorch's fused attention is used ({@code --eff-attn}). */
      public Builder efficientAttention(boolean value) {
        efficientAttention = value;
        return this;
      }

      /** Builds the changes. */
      public Changes build() {
        return new Changes(
            channelBase, channelMultipliers, blocks, dropout, labelDropout, efficientAttention);
      }
    }
  }

  /** Returns the name on the command line. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Returns the keyword arguments of the preconditioner, without those determined by the data set
   * ({@code img_resolution}, {@code img_channels}, {@code label_dim}).
   *
   * @param resolution of the data set; ADM is wider and deeper at 256 pixels only
   * @param changes to the preset
   */
  public Map<String, @Nullable Object> kwargs(int resolution, Changes changes) {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    switch (this) {
      case DDPMPP -> {
        song(kwargs, "positional", "standard", 1, List.of(1L, 1L));
      }
      case NCSNPP -> {
        song(kwargs, "fourier", "residual", 2, List.of(1L, 3L, 3L, 1L));
      }
      case ADM -> {
        kwargs.put("model_type", "DhariwalUNet");
        if (resolution == WIDE_AT) {
          kwargs.put("model_channels", 256L);
          kwargs.put("channel_mult", List.of(1L, 1L, 2L, 2L, 4L, 4L));
          kwargs.put("num_blocks", 2L);
        } else {
          kwargs.put("model_channels", 192L);
          kwargs.put("channel_mult", List.of(1L, 2L, 3L, 4L));
        }
      }
    }
    changes.channelBase.ifPresent(c -> kwargs.put("model_channels", (long) c));
    if (!changes.channelMultipliers.isEmpty()) {
      kwargs.put(
          "channel_mult", changes.channelMultipliers.stream().map(Integer::longValue).toList());
    }
    changes.blocks.ifPresent(n -> kwargs.put("num_blocks", (long) n));
    kwargs.put("dropout", changes.dropout);
    // The reference's training script never sets it: networks without it are recorded in the same
    // way.
    if (changes.labelDropout > 0) {
      kwargs.put("label_dropout", changes.labelDropout);
    }
    kwargs.put("eff_attn", changes.efficientAttention);
    return kwargs;
  }

  private static void song(
      Map<String, @Nullable Object> kwargs,
      String embedding,
      String encoder,
      long noiseMultiplier,
      List<Long> filter) {
    kwargs.put("model_type", "SongUNet");
    kwargs.put("embedding_type", embedding);
    kwargs.put("encoder_type", encoder);
    kwargs.put("decoder_type", "standard");
    kwargs.put("channel_mult_noise", noiseMultiplier);
    kwargs.put("resample_filter", filter);
    kwargs.put("model_channels", 128L);
    kwargs.put("channel_mult", List.of(2L, 2L, 2L));
  }
}
