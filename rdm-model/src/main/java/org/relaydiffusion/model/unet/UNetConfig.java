// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.unet;

import java.util.List;
import java.util.Locale;
import org.relaydiffusion.model.ModelException;
import org.relaydiffusion.model.Settings;
import org.relaydiffusion.model.layer.BlockStyle;

/**
 * The reference's own settings of one of its two U-Nets, by name.
 *
 * @param network a network of an {@link OfficialUNet}
 */
public record UNetConfig(NetworkConfig network) {
  static final int MAX_WIDTH = 1 << 16;
  private static final int MIN_WIDTH = 4;

  /**
   * Makes the view.
   *
   * @throws ModelException when the network is of another architecture
   */
  public UNetConfig {
    if (!(network.architecture() instanceof OfficialUNet)) {
      throw new ModelException(
          "%s is not one of the official U-Nets".formatted(network.architecture().className()));
    }
  }

  /** The settings of a network. */
  public static UNetConfig of(NetworkConfig network) {
    return new UNetConfig(network);
  }

  /** The features of the noise level. */
  public enum Embedding {
    /** Fixed frequencies. */
    POSITIONAL,
    /** Random frequencies. */
    FOURIER
  }

  /** How images enter the encoder, or leave the decoder, beside the main path. */
  public enum Path {
    /** Only at full resolution. */
    STANDARD,
    /** At every level, through 1x1 convolutions. */
    SKIP,
    /** At every level, through strided residual convolutions (encoder only). */
    RESIDUAL
  }

  /** ADM's or Song's. */
  public OfficialUNet architecture() {
    return (OfficialUNet) network.architecture();
  }

  /** Width and height of the images. */
  public int resolution() {
    return network.resolution();
  }

  /** Channels of the input. */
  public int inChannels() {
    return network.inChannels();
  }

  /** Channels of the output. */
  public int outChannels() {
    return network.outChannels();
  }

  /** Classes; 0 for none. */
  public int labelDim() {
    return network.labelDim();
  }

  /** Augmentation labels; 0 for none. */
  public int augmentDim() {
    return network.augmentDim();
  }

  /** C, the base width. */
  public int modelChannels() {
    return settings().whole("model_channels");
  }

  /** Widths of the levels, in multiples of C. */
  public List<Integer> channelMult() {
    return settings().wholes("channel_mult");
  }

  /** Width of the noise features, in multiples of C (Song). */
  public int channelMultNoise() {
    return settings().has("channel_mult_noise") ? settings().whole("channel_mult_noise") : 1;
  }

  /** Residual blocks a level. */
  public int numBlocks() {
    return settings().whole("num_blocks");
  }

  /** Sizes at which blocks attend. */
  public List<Integer> attnResolutions() {
    return settings().wholes("attn_resolutions");
  }

  /** Probability that an element is dropped in training. */
  public double dropout() {
    return settings().real("dropout");
  }

  /** Probability that a label row is zeroed in training. */
  public double labelDropout() {
    return settings().real("label_dropout");
  }

  /** Positional or Fourier noise features (Song). */
  public Embedding embedding() {
    return chosen("embedding_type", Embedding.POSITIONAL);
  }

  /** How the encoder sees the image (Song). */
  public Path encoder() {
    return chosen("encoder_type", Path.STANDARD);
  }

  /** How the decoder makes the image (Song). */
  public Path decoder() {
    return chosen("decoder_type", Path.STANDARD);
  }

  /** One-dimensional low-pass filter (Song). */
  public List<Integer> resampleFilter() {
    return settings().has("resample_filter") ? settings().wholes("resample_filter") : List.of(1, 1);
  }

  /** What the reference attends with ({@code eff_attn}). */
  public BlockStyle.AttentionKernel attention() {
    return settings().flag("eff_attn")
        ? BlockStyle.AttentionKernel.FUSED
        : BlockStyle.AttentionKernel.SOFTMAX;
  }

  /** Features of the noise embedding. */
  public int embChannels() {
    return modelChannels() * settings().whole("channel_mult_emb");
  }

  /** Width and height at a level. */
  public int resolutionAt(int level) {
    return resolution() >> level;
  }

  /** The width of a level. */
  public int channelsAt(int level) {
    return modelChannels() * channelMult().get(level);
  }

  /** The last level, which has the smallest images. */
  public int lastLevel() {
    return channelMult().size() - 1;
  }

  /** A block's name, e.g. {@code 64x64_block0}. */
  String name(int level, String part) {
    int r = resolutionAt(level);
    return r + "x" + r + "_" + part;
  }

  /** Whether images can be halved so often, and levels are that wide. */
  void check() {
    List<Integer> mult = channelMult();
    int multiple = 1 << Math.max(0, mult.size() - 1);
    if (mult.isEmpty() || resolution() % multiple != 0) {
      throw new ModelException(
          "channel_mult has %s levels, so the side of an image must be a multiple of %s, not %s"
              .formatted(mult.size(), multiple, resolution()));
    }
    int width = modelChannels();
    if (width % 2 != 0 || width < MIN_WIDTH) {
      // Half of the noise features are cosines, half sines.
      throw new ModelException("model_channels must be even and at least 4, not " + width);
    }
    for (int m : mult) {
      if ((long) width * m > MAX_WIDTH) {
        throw new ModelException(
            "model_channels %s times %s is not a width from %s to %s"
                .formatted(width, m, MIN_WIDTH, MAX_WIDTH));
      }
    }
  }

  private Settings settings() {
    return network.settings();
  }

  private <E extends Enum<E>> E chosen(String name, E standard) {
    return settings().has(name)
        ? Enum.valueOf(
            standard.getDeclaringClass(), settings().choice(name).toUpperCase(Locale.ROOT))
        : standard;
  }
}
