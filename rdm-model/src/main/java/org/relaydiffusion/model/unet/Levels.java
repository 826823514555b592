// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.unet;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.layer.BlockStyle;
import org.relaydiffusion.model.layer.Conv2d;
import org.relaydiffusion.model.layer.Modulations;
import org.relaydiffusion.model.layer.NoiseEmbedding;
import org.relaydiffusion.model.layer.Resample;
import org.relaydiffusion.model.layer.UNetBlock;
import org.relaydiffusion.model.layer.WeightInit;
import org.relaydiffusion.torch.ActivationCheckpoints;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** What the encoders and decoders of both U-Nets have in common. */
final class Levels {
  private Levels() {}

  /** The widths of the skips that an encoder leaves, in the order in which it leaves them. */
  static Deque<Integer> skipWidths(UNetConfig c, int first) {
    Deque<Integer> widths = new ArrayDeque<>();
    int width = first;
    for (int level = 0; level <= c.lastLevel(); level++) {
      widths.push(width);
      for (int i = 0; i < c.numBlocks(); i++) {
        width = c.channelsAt(level);
        widths.push(width);
      }
    }
    return widths;
  }

  /** The blocks of an encoder level after its entry. */
  static List<UNetBlock.Config> encoderBlocks(UNetConfig c, int level, int in, BlockStyle s) {
    boolean attends = c.attnResolutions().contains(c.resolutionAt(level));
    int out = c.channelsAt(level);
    List<UNetBlock.Config> blocks = new ArrayList<>();
    for (int i = 0; i < c.numBlocks(); i++) {
      blocks.add(
          new UNetBlock.Config(
              i == 0 ? in : out, out, c.resolutionAt(level), Resample.NONE, attends, s));
    }
    return blocks;
  }

  /** A block after joining the newest skip to x; the skip is used up. */
  static Tensor joined(UNetBlock block, Tensor x, Deque<Tensor> skips, NoiseEmbedding emb) {
    return ActivationCheckpoints.segment(
        in -> {
          try (TensorScope scope = TensorScope.open()) {
            Tensor wide = Shapes.cat(in.subList(0, 2), 1);
            in.get(1).close();
            return scope.keep(block.forward(wide, emb.over(in.get(2))));
          }
        },
        List.of(x, skips.pop(), emb.rows()));
  }

  /** The noise embedding for all blocks of a network, made at once where that is prepared. */
  static NoiseEmbedding embedding(@Nullable Modulations modulations, Tensor rows, long images) {
    return modulations == null ? NoiseEmbedding.of(rows) : modulations.of(rows, images);
  }

  /** A plain convolution. */
  static Conv2d conv(int in, int out, int kernel, int resolution, WeightInit init) {
    return new Conv2d(Conv2d.Config.plain(in, out, kernel, resolution, init));
  }
}
