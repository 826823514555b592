package org.relaydiffusion.model.unet;

import java.util.List;

/**
 * What a U-Net is, in the reference's own settings.
 *
 * @param architecture ADM's or Song's
 * @param resolution width and height of the images
 * @param inChannels channels of the input
 * @param outChannels channels of the output
 * @param labelDim classes; 0 for none
 * @param augmentDim augmentation labels; 0 for none
 * @param modelChannels C, the base width
 * @param channelMult widths of the levels, in multiples of C
 * @param channelMultEmb width of the embedding, in multiples of C
 * @param channelMultNoise width of the noise features, in multiples of C (Song)
 * @param numBlocks residual blocks a level
 * @param attnResolutions sizes at which blocks attend
 * @param dropout probability, in training
 * @param labelDropout probability that a label row is zeroed, in training
 * @param embedding positional or Fourier noise features (Song)
 * @param encoder how the encoder sees the image (Song)
 * @param decoder how the decoder makes the image (Song)
 * @param resampleFilter one-dimensional low-pass filter (Song)
 * @param efficientAttention {@code eff_attn}
 */
public record UNetConfig(
    Architecture architecture,
    int resolution,
    int inChannels,
    int outChannels,
    int labelDim,
    int augmentDim,
    int modelChannels,
    List<Integer> channelMult,
    int channelMultEmb,
    int channelMultNoise,
    int numBlocks,
    List<Integer> attnResolutions,
    double dropout,
    double labelDropout,
    Embedding embedding,
    Path encoder,
    Path decoder,
    List<Integer> resampleFilter,
    boolean efficientAttention) {
  /** The two U-Nets. */
  public enum Architecture {
    /** {@code DhariwalUNet}: ADM (arXiv 2105.05233). */
    DHARIWAL,
    /** {@code SongUNet}: DDPM++ and NCSN++ (arXiv 2011.13456). */
    SONG
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

  /** Makes the lists unchangeable. */
  public UNetConfig {
    channelMult = List.copyOf(channelMult);
    attnResolutions = List.copyOf(attnResolutions);
    resampleFilter = List.copyOf(resampleFilter);
  }

  /** Features of the noise embedding. */
  public int embChannels() {
    return modelChannels * channelMultEmb;
  }

  /** Width and height at a level. */
  public int resolutionAt(int level) {
    return resolution >> level;
  }

  /** The width of a level. */
  public int channelsAt(int level) {
    return modelChannels * channelMult.get(level);
  }

  /** The last level, which has the smallest images. */
  public int lastLevel() {
    return channelMult.size() - 1;
  }

  /** A block's name, e.g. {@code 64x64_block0}. */
  String name(int level, String part) {
    int r = resolutionAt(level);
    return r + "x" + r + "_" + part;
  }
}
