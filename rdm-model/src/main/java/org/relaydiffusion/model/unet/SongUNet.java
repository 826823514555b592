// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.unet;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.layer.BlockStyle;
import org.relaydiffusion.model.layer.Conv2d;
import org.relaydiffusion.model.layer.FourierEmbedding;
import org.relaydiffusion.model.layer.GroupNorm;
import org.relaydiffusion.model.layer.Linear;
import org.relaydiffusion.model.layer.Modulations;
import org.relaydiffusion.model.layer.NoiseEmbedding;
import org.relaydiffusion.model.layer.PositionalEmbedding;
import org.relaydiffusion.model.layer.Resample;
import org.relaydiffusion.model.layer.TimeEmbedding;
import org.relaydiffusion.model.layer.UNetBlock;
import org.relaydiffusion.model.layer.WeightInit;
import org.relaydiffusion.torch.ActivationCheckpoints;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Module;

/** Song's U-Net (arXiv 2011.13456): DDPM++ and NCSN++, by its encoder, decoder and embedding. */
public final class SongUNet extends UNet {
  private static final double EPS = 1e-6;
  private static final double HALF = Math.sqrt(0.5);

  private final UNetConfig config;
  private final TimeEmbedding mapNoise;
  private final @Nullable Linear mapLabel;
  private final @Nullable Linear mapAugment;
  private final Linear mapLayer0;
  private final Linear mapLayer1;
  private final List<EncoderLevel> encoder = new ArrayList<>();
  private final List<DecoderLevel> decoder = new ArrayList<>();
  private final List<UNetBlock> allBlocks = new ArrayList<>();
  private @Nullable Modulations modulations;

  /** One resolution going down: a way in, the image beside it, and the blocks. */
  private record EncoderLevel(
      @Nullable Conv2d conv,
      @Nullable UNetBlock down,
      @Nullable Conv2d auxDown,
      @Nullable Conv2d auxSkip,
      @Nullable Conv2d auxResidual,
      List<UNetBlock> blocks) {}

  /** One resolution going up: blocks that take no skip, blocks that do, and the image out. */
  private record DecoderLevel(
      List<UNetBlock> entry,
      List<UNetBlock> blocks,
      @Nullable Conv2d auxUp,
      @Nullable GroupNorm auxNorm,
      @Nullable Conv2d auxConv) {}

  /** Makes the network without values. */
  public SongUNet(UNetConfig config) {
    this.config = config;
    WeightInit init = xavier(1);
    int noise = config.modelChannels() * config.channelMultNoise();
    int emb = config.embChannels();
    mapNoise =
        switch (config.embedding()) {
          case POSITIONAL ->
              child(
                  "map_noise",
                  new PositionalEmbedding(noise, PositionalEmbedding.Endpoint.INCLUDED));
          case FOURIER -> child("map_noise", new FourierEmbedding(noise));
        };
    mapLabel =
        config.labelDim() == 0
            ? null
            : child("map_label", Linear.of(config.labelDim(), noise, init));
    mapAugment =
        config.augmentDim() == 0
            ? null
            : child("map_augment", Linear.withoutBias(config.augmentDim(), noise, init));
    mapLayer0 = child("map_layer0", Linear.of(noise, emb, init));
    mapLayer1 = child("map_layer1", Linear.of(emb, emb, init));
    BlockStyle style =
        BlockStyle.of(emb)
            .heads(BlockStyle.Heads.fixed(1))
            .dropout(config.dropout())
            .skipScale(HALF)
            .eps(EPS)
            .resampleFilter(config.resampleFilter())
            .skip(BlockStyle.Skip.ALWAYS_PROJECTED)
            .modulation(BlockStyle.Modulation.SHIFT)
            .attention(config.attention())
            .init(init, xavier(1e-5), xavier(Math.sqrt(0.2)));
    buildEncoder(style);
    buildDecoder(style);
  }

  private static WeightInit xavier(double gain) {
    return new WeightInit(WeightInit.Mode.XAVIER_UNIFORM, gain, 0);
  }

  private void buildEncoder(BlockStyle style) {
    int width = config.modelChannels();
    int aux = config.inChannels();
    for (int level = 0; level <= config.lastLevel(); level++) {
      Conv2d conv = null;
      UNetBlock down = null;
      Conv2d auxDown = null;
      Conv2d auxSkip = null;
      Conv2d auxResidual = null;
      if (level == 0) {
        conv = enc(level, "conv", Levels.conv(aux, width, 3, config.resolution(), style.init()));
      } else {
        down = enc(level, "down", block(width, width, level, Resample.DOWN, false, style));
        if (config.encoder() == UNetConfig.Path.SKIP) {
          auxDown = enc(level, "aux_down", resampling(aux, level, Resample.DOWN, style));
          auxSkip =
              enc(
                  level,
                  "aux_skip",
                  Levels.conv(aux, width, 1, config.resolutionAt(level), style.init()));
        } else if (config.encoder() == UNetConfig.Path.RESIDUAL) {
          auxResidual =
              enc(
                  level,
                  "aux_residual",
                  new Conv2d(
                      Conv2d.Config.resampling(
                              aux,
                              width,
                              3,
                              config.resolutionAt(level),
                              Resample.DOWN,
                              config.resampleFilter(),
                              style.init())
                          .fused()));
          aux = width;
        }
      }
      List<UNetBlock> blocks = new ArrayList<>();
      for (UNetBlock.Config b : Levels.encoderBlocks(config, level, width, style)) {
        blocks.add(enc(level, "block" + blocks.size(), new UNetBlock(b)));
        width = b.out();
      }
      encoder.add(new EncoderLevel(conv, down, auxDown, auxSkip, auxResidual, blocks));
    }
  }

  private void buildDecoder(BlockStyle style) {
    Deque<Integer> skips = Levels.skipWidths(config, config.modelChannels());
    int width = skips.getFirst();
    int last = config.lastLevel();
    for (int level = last; level >= 0; level--) {
      List<UNetBlock> entry = new ArrayList<>();
      if (level == last) {
        entry.add(dec(level, "in0", block(width, width, level, Resample.NONE, true, style)));
        entry.add(dec(level, "in1", block(width, width, level, Resample.NONE, false, style)));
      } else {
        entry.add(dec(level, "up", block(width, width, level, Resample.UP, false, style)));
      }
      List<UNetBlock> blocks = new ArrayList<>();
      boolean attends = config.attnResolutions().contains(config.resolutionAt(level));
      for (int i = 0; i <= config.numBlocks(); i++) {
        int in = width + skips.pop();
        width = config.channelsAt(level);
        boolean attention = attends && i == config.numBlocks();
        blocks.add(
            dec(level, "block" + i, block(in, width, level, Resample.NONE, attention, style)));
      }
      boolean image = config.decoder() == UNetConfig.Path.SKIP || level == 0;
      Conv2d auxUp =
          config.decoder() == UNetConfig.Path.SKIP && level < last
              ? dec(level, "aux_up", resampling(config.outChannels(), level, Resample.UP, style))
              : null;
      GroupNorm auxNorm = image ? dec(level, "aux_norm", new GroupNorm(width, EPS)) : null;
      Conv2d auxConv =
          image
              ? dec(
                  level,
                  "aux_conv",
                  Levels.conv(
                      width, config.outChannels(), 3, config.resolutionAt(level), style.initZero()))
              : null;
      decoder.add(new DecoderLevel(entry, blocks, auxUp, auxNorm, auxConv));
    }
  }

  private UNetBlock block(
      int in, int out, int level, Resample resample, boolean attention, BlockStyle style) {
    return new UNetBlock(
        new UNetBlock.Config(in, out, config.resolutionAt(level), resample, attention, style));
  }

  private Conv2d resampling(int channels, int level, Resample resample, BlockStyle style) {
    return new Conv2d(
        Conv2d.Config.resampling(
            channels,
            channels,
            0,
            config.resolutionAt(level),
            resample,
            config.resampleFilter(),
            style.init()));
  }

  private <M extends Module> M enc(int level, String part, M module) {
    return child("enc." + config.name(level, part), noted(module));
  }

  private <M extends Module> M dec(int level, String part, M module) {
    return child("dec." + config.name(level, part), noted(module));
  }

  private <M extends Module> M noted(M module) {
    if (module instanceof UNetBlock block) {
      allBlocks.add(block);
    }
    return module;
  }

  @Override
  protected void completed() {
    free();
    modulations = Modulations.of(allBlocks, execution());
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
      encode(x, emb, skips);
      return scope.keep(decode(skips, emb));
    }
  }

  /** Leaves a skip for each step; the last one is also what the decoder begins with. */
  private void encode(Tensor image, NoiseEmbedding emb, Deque<Tensor> skips) {
    Tensor aux = image;
    Tensor h = image;
    for (EncoderLevel level : encoder) {
      if (level.conv != null) {
        h = level.conv.forward(h);
      } else if (level.down != null) {
        h = level.down.forward(h, emb);
      }
      if (level.auxDown != null && level.auxSkip != null) {
        Tensor smaller = level.auxDown.forward(aux);
        if (aux != image) {
          aux.close();
        }
        aux = smaller;
        h = sum(h, level.auxSkip.forward(aux));
      }
      if (level.auxResidual != null) {
        try (Tensor both = sum(h, level.auxResidual.forward(aux))) {
          h = both.div(Math.sqrt(2));
        }
        aux = h;
      }
      Tensor first = ActivationCheckpoints.boundary(h);
      aux = aux == h ? first : aux;
      h = first;
      skips.push(h);
      for (UNetBlock block : level.blocks) {
        h = block.forward(h, emb);
        skips.push(h);
      }
    }
  }

  /** Closes what it is given: neither is needed any more. */
  private static Tensor sum(Tensor a, Tensor b) {
    try (a;
        b) {
      return a.add(b);
    }
  }

  private Tensor decode(Deque<Tensor> skips, NoiseEmbedding emb) {
    Tensor h = Objects.requireNonNull(skips.peek());
    boolean isSkip = true;
    Tensor image = null;
    for (DecoderLevel level : decoder) {
      for (UNetBlock block : level.entry) {
        Tensor next = block.forward(h, emb);
        // A skip is closed by the block that joins it.
        if (!isSkip) {
          h.close();
        }
        isSkip = false;
        h = next;
      }
      for (UNetBlock block : level.blocks) {
        Tensor next = Levels.joined(block, h, skips, emb);
        h.close();
        h = next;
      }
      if (level.auxUp != null && image != null) {
        try (Tensor smaller = image) {
          image = level.auxUp.forward(smaller);
        }
      }
      if (level.auxNorm != null && level.auxConv != null) {
        Tensor made = output(level.auxNorm, level.auxConv, h);
        image = ActivationCheckpoints.boundary(image == null ? made : sum(made, image));
      }
    }
    return Objects.requireNonNull(image);
  }

  private static Tensor output(GroupNorm norm, Conv2d conv, Tensor h) {
    try (TensorScope scope = TensorScope.open()) {
      return scope.keep(conv.forward(norm.forward(h).silu()));
    }
  }

  private Tensor embedding(Tensor noise, @Nullable Tensor labels, @Nullable Tensor augment) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor features = mapNoise.forward(noise);
      // Song's networks have sines first.
      Tensor emb =
          Shapes.flip(features.reshape(features.size(0), 2, features.size(1) / 2), 1)
              .reshape(features.shape());
      if (mapLabel != null && labels != null) {
        Tensor rows =
            isTraining() && config.labelDropout() > 0
                ? LabelDropout.apply(labels, config.labelDropout())
                : labels;
        emb = emb.add(mapLabel.forward(rows.mul(Math.sqrt(mapLabel.inFeatures()))));
      }
      if (mapAugment != null && augment != null) {
        emb = emb.add(mapAugment.forward(augment));
      }
      emb = mapLayer0.forward(emb).silu();
      return scope.keep(mapLayer1.forward(emb).silu());
    }
  }
}
