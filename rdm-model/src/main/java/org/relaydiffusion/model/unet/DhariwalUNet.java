// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.unet;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.layer.BlockStyle;
import org.relaydiffusion.model.layer.Conv2d;
import org.relaydiffusion.model.layer.GroupNorm;
import org.relaydiffusion.model.layer.Linear;
import org.relaydiffusion.model.layer.Modulations;
import org.relaydiffusion.model.layer.NoiseEmbedding;
import org.relaydiffusion.model.layer.PositionalEmbedding;
import org.relaydiffusion.model.layer.Resample;
import org.relaydiffusion.model.layer.UNetBlock;
import org.relaydiffusion.model.layer.WeightInit;
import org.relaydiffusion.torch.ActivationCheckpoints;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** ADM's U-Net (Dhariwal and Nichol, arXiv 2105.05233), the {@code adm} of both RDM stages. */
public final class DhariwalUNet extends UNet {
  private static final int CHANNELS_PER_HEAD = 64;
  private static final double EPS = 1e-5;

  private final UNetConfig config;
  private final PositionalEmbedding mapNoise;
  private final @Nullable Linear mapAugment;
  private final Linear mapLayer0;
  private final Linear mapLayer1;
  private final @Nullable Linear mapLabel;
  private final Conv2d entry;
  private final List<UNetBlock> encoder = new ArrayList<>();
  private final List<Step> decoder = new ArrayList<>();
  private final GroupNorm outNorm;
  private final Conv2d outConv;
  private @Nullable Modulations modulations;

  private record Step(UNetBlock block, Input input) {}

  private enum Input {
    PLAIN,
    JOINED
  }

  /** Makes the network without values. */
  public DhariwalUNet(UNetConfig config) {
    this.config = config;
    double gain = Math.sqrt(1.0 / 3);
    WeightInit init = new WeightInit(WeightInit.Mode.KAIMING_UNIFORM, gain, gain);
    WeightInit zero = new WeightInit(WeightInit.Mode.KAIMING_UNIFORM, 0, 0);
    int c = config.modelChannels();
    int emb = config.embChannels();
    mapNoise =
        child("map_noise", new PositionalEmbedding(c, PositionalEmbedding.Endpoint.EXCLUDED));
    mapAugment =
        config.augmentDim() == 0
            ? null
            : child("map_augment", Linear.withoutBias(config.augmentDim(), c, zero));
    mapLayer0 = child("map_layer0", Linear.of(c, emb, init));
    mapLayer1 = child("map_layer1", Linear.of(emb, emb, init));
    WeightInit label =
        new WeightInit(WeightInit.Mode.KAIMING_NORMAL, Math.sqrt(config.labelDim()), 0);
    mapLabel =
        config.labelDim() == 0
            ? null
            : child("map_label", Linear.withoutBias(config.labelDim(), emb, label));
    BlockStyle style =
        BlockStyle.of(emb)
            .heads(BlockStyle.Heads.ofChannels(CHANNELS_PER_HEAD))
            .dropout(config.dropout())
            .eps(EPS)
            .modulation(BlockStyle.Modulation.SCALE_AND_SHIFT)
            .attention(config.attention())
            .init(init, zero, init);
    int width = config.channelsAt(0);
    entry =
        child(
            "enc." + config.name(0, "conv"),
            Levels.conv(config.inChannels(), width, 3, config.resolution(), init));
    buildEncoder(style, width);
    buildDecoder(style, width);
    outNorm = child("out_norm", new GroupNorm(width, EPS));
    outConv =
        child("out_conv", Levels.conv(width, config.outChannels(), 3, config.resolution(), zero));
  }

  private void buildEncoder(BlockStyle style, int first) {
    int width = first;
    for (int level = 0; level <= config.lastLevel(); level++) {
      if (level > 0) {
        addEncoder(level, "down", block(width, width, level, Resample.DOWN, false, style));
      }
      List<UNetBlock.Config> blocks = Levels.encoderBlocks(config, level, width, style);
      for (int i = 0; i < blocks.size(); i++) {
        addEncoder(level, "block" + i, blocks.get(i));
        width = blocks.get(i).out();
      }
    }
  }

  private void buildDecoder(BlockStyle style, int first) {
    Deque<Integer> skips = Levels.skipWidths(config, first);
    int width = skips.getFirst();
    for (int level = config.lastLevel(); level >= 0; level--) {
      if (level == config.lastLevel()) {
        addDecoder(
            level, "in0", block(width, width, level, Resample.NONE, true, style), Input.PLAIN);
        addDecoder(
            level, "in1", block(width, width, level, Resample.NONE, false, style), Input.PLAIN);
      } else {
        addDecoder(level, "up", block(width, width, level, Resample.UP, false, style), Input.PLAIN);
      }
      boolean attends = config.attnResolutions().contains(config.resolutionAt(level));
      for (int i = 0; i <= config.numBlocks(); i++) {
        int in = width + skips.pop();
        width = config.channelsAt(level);
        addDecoder(
            level,
            "block" + i,
            block(in, width, level, Resample.NONE, attends, style),
            Input.JOINED);
      }
    }
  }

  private UNetBlock.Config block(
      int in, int out, int level, Resample resample, boolean attention, BlockStyle style) {
    return new UNetBlock.Config(in, out, config.resolutionAt(level), resample, attention, style);
  }

  private void addEncoder(int level, String part, UNetBlock.Config block) {
    encoder.add(child("enc." + config.name(level, part), new UNetBlock(block)));
  }

  private void addDecoder(int level, String part, UNetBlock.Config block, Input input) {
    decoder.add(new Step(child("dec." + config.name(level, part), new UNetBlock(block)), input));
  }

  @Override
  protected void completed() {
    free();
    modulations =
        Modulations.of(
            Stream.concat(encoder.stream(), decoder.stream().map(Step::block)).toList(),
            execution());
  }

  private void free() {
    if (modulations != null) {
      modulations.close();
      modulations = null;
    }
  }

  @Override
  public void close() {
    super.close();
    free();
  }

  @Override
  public Tensor forward(Tensor x, Tensor noise, @Nullable Tensor labels, @Nullable Tensor augment) {
    try (TensorScope scope = TensorScope.open()) {
      NoiseEmbedding emb =
          Levels.embedding(
              modulations,
              ActivationCheckpoints.boundary(embedding(noise, labels, augment)),
              x.size(0));
      Deque<Tensor> skips = new ArrayDeque<>();
      Tensor h = ActivationCheckpoints.boundary(entry.forward(x));
      skips.push(h);
      for (UNetBlock block : encoder) {
        h = block.forward(h, emb);
        skips.push(h);
      }
      boolean isSkip = true;
      for (Step step : decoder) {
        Tensor next =
            step.input == Input.JOINED
                ? Levels.joined(step.block, h, skips, emb)
                : step.block.forward(h, emb);
        if (!isSkip) {
          h.close();
        }
        isSkip = false;
        h = next;
      }
      return scope.keep(outConv.forward(outNorm.forward(h).silu()));
    }
  }

  private Tensor embedding(Tensor noise, @Nullable Tensor labels, @Nullable Tensor augment) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor emb = mapNoise.forward(noise);
      if (mapAugment != null && augment != null) {
        emb = emb.add(mapAugment.forward(augment));
      }
      emb = mapLayer1.forward(mapLayer0.forward(emb).silu());
      if (mapLabel != null && labels != null) {
        Tensor rows =
            isTraining() && config.labelDropout() > 0
                ? LabelDropout.apply(labels, config.labelDropout())
                : labels;
        emb = emb.add(mapLabel.forward(rows));
      }
      return scope.keep(emb.silu());
    }
  }
}
