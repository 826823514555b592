// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.List;

/**
 * What every block of a network shares. {@link #of} has the reference's defaults, which are ADM's;
 * each other method returns a style that differs in one thing:
 *
 * <pre>{@code
 * BlockStyle style = BlockStyle.of(768).dropout(0.1).heads(Heads.fixed(1)).eps(1e-6);
 * }</pre>
 */
public final class BlockStyle {
  private static final int CHANNELS_PER_HEAD = 64;
  private static final double EPS = 1e-5;

  private final int embChannels;
  private Heads heads = Heads.ofChannels(CHANNELS_PER_HEAD);
  private double dropout;
  private double skipScale = 1;
  private double eps = EPS;
  private List<Integer> resampleFilter = List.of(1, 1);
  private Skip skip = Skip.PROJECTED_WHERE_CHANNELS_CHANGE;
  private Modulation modulation = Modulation.SCALE_AND_SHIFT;
  private AttentionKernel attention = AttentionKernel.SOFTMAX;
  private WeightInit init = WeightInit.DEFAULT;
  private WeightInit initZero = WeightInit.DEFAULT;
  private WeightInit initAttention = WeightInit.DEFAULT;

  private BlockStyle(int embChannels) {
    this.embChannels = embChannels;
  }

  private BlockStyle(BlockStyle other) {
    this(other.embChannels);
    heads = other.heads;
    dropout = other.dropout;
    skipScale = other.skipScale;
    eps = other.eps;
    resampleFilter = other.resampleFilter;
    skip = other.skip;
    modulation = other.modulation;
    attention = other.attention;
    init = other.init;
    initZero = other.initZero;
    initAttention = other.initAttention;
  }

  /** What the noise embedding does to the activations between a block's two convolutions. */
  public enum Modulation {
    /** Scales and shifts them after the normalisation (ADM; {@code adaptive_scale}). */
    SCALE_AND_SHIFT,
    /** Shifts them before the normalisation (Song's networks). */
    SHIFT
  }

  /** When the way past a block's convolutions is a 1x1 convolution. */
  public enum Skip {
    /** Where the channels change; a resampling between equal channels has no weights. */
    PROJECTED_WHERE_CHANNELS_CHANGE,
    /** Wherever there is a skip to compute, a resampling included ({@code resample_proj}). */
    ALWAYS_PROJECTED
  }

  /** What the reference attends with; {@link Execution.Reference} does the same. */
  public enum AttentionKernel {
    /** Products and a softmax, in float32. */
    SOFTMAX,
    /** LibTorch's fused kernel ({@code eff_attn}). */
    FUSED
  }

  /** How many heads attend. */
  public sealed interface Heads {
    /** One for each {@code channels} channels; a narrower block does not attend. */
    static Heads ofChannels(int channels) {
      return new OfChannels(channels);
    }

    /** The same number in each block. */
    static Heads fixed(int number) {
      return new Fixed(number);
    }

    /**
     * One head for so many channels.
     *
     * @param channels of a head
     */
    record OfChannels(int channels) implements Heads {}

    /**
     * The same number in each block.
     *
     * @param number of heads
     */
    record Fixed(int number) implements Heads {}
  }

  /**
   * The defaults.
   *
   * @param embChannels features of the noise embedding
   */
  public static BlockStyle of(int embChannels) {
    return new BlockStyle(embChannels);
  }

  /** With other heads. */
  public BlockStyle heads(Heads value) {
    BlockStyle s = new BlockStyle(this);
    s.heads = value;
    return s;
  }

  /** With a probability from 0 to 1 that an element is dropped in training; default 0. */
  public BlockStyle dropout(double value) {
    BlockStyle s = new BlockStyle(this);
    s.dropout = value;
    return s;
  }

  /** With a factor on the sum of branch and skip; default 1. */
  public BlockStyle skipScale(double value) {
    BlockStyle s = new BlockStyle(this);
    s.skipScale = value;
    return s;
  }

  /** With another number that normalisations add to the variance; default 1e-5. */
  public BlockStyle eps(double value) {
    BlockStyle s = new BlockStyle(this);
    s.eps = value;
    return s;
  }

  /** With another one-dimensional low-pass filter; default [1, 1]. */
  public BlockStyle resampleFilter(List<Integer> taps) {
    BlockStyle s = new BlockStyle(this);
    s.resampleFilter = List.copyOf(taps);
    return s;
  }

  /** With another kind of skip. */
  public BlockStyle skip(Skip value) {
    BlockStyle s = new BlockStyle(this);
    s.skip = value;
    return s;
  }

  /** With another effect of the noise embedding. */
  public BlockStyle modulation(Modulation value) {
    BlockStyle s = new BlockStyle(this);
    s.modulation = value;
    return s;
  }

  /** With another kernel for attention. */
  public BlockStyle attention(AttentionKernel value) {
    BlockStyle s = new BlockStyle(this);
    s.attention = value;
    return s;
  }

  /**
   * With other first values.
   *
   * @param layers of most layers
   * @param zero of the last convolution of each branch
   * @param qkv of attention's first convolution
   */
  public BlockStyle init(WeightInit layers, WeightInit zero, WeightInit qkv) {
    BlockStyle s = new BlockStyle(this);
    s.init = layers;
    s.initZero = zero;
    s.initAttention = qkv;
    return s;
  }

  /** Features of the noise embedding. */
  public int embChannels() {
    return embChannels;
  }

  /** How many heads attend. */
  public Heads heads() {
    return heads;
  }

  /** The heads of a block of so many channels; 0 where it is too narrow for one. */
  public int heads(int channels) {
    return switch (heads) {
      case Heads.OfChannels each -> channels / each.channels();
      case Heads.Fixed fixed -> fixed.number();
    };
  }

  /** The probability of dropout in training. */
  public double dropout() {
    return dropout;
  }

  /** The factor on the sum of branch and skip. */
  public double skipScale() {
    return skipScale;
  }

  /** What normalisations add to the variance. */
  public double eps() {
    return eps;
  }

  /** The one-dimensional low-pass filter. */
  public List<Integer> resampleFilter() {
    return resampleFilter;
  }

  /** When the skip is a convolution. */
  public Skip skip() {
    return skip;
  }

  /** What the noise embedding does. */
  public Modulation modulation() {
    return modulation;
  }

  /** What the reference attends with. */
  public AttentionKernel attention() {
    return attention;
  }

  /** First values of most layers. */
  public WeightInit init() {
    return init;
  }

  /** First values of the last convolution of each branch. */
  public WeightInit initZero() {
    return initZero;
  }

  /** First values of attention's first convolution. */
  public WeightInit initAttention() {
    return initAttention;
  }
}
