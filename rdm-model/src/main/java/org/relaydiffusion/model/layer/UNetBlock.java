// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.ModelException;
import org.relaydiffusion.torch.ActivationCheckpoints;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The residual block of both U-Nets, with optional resampling and self-attention (EDM, arXiv
 * 2206.00364, appendix C; after DDPM++, NCSN++ and ADM).
 */
public final class UNetBlock extends Layer {
  private final Config config;
  private final GroupNorm norm0;
  private final Conv2d conv0;
  private final Linear affine;
  private final GroupNorm norm1;
  private final Conv2d conv1;
  private final @Nullable Conv2d skip;
  private final @Nullable GroupNorm norm2;
  private final @Nullable SelfAttention attention;
  private final @Nullable Conv2d proj;

  /**
   * One block.
   *
   * @param in channels of its input
   * @param out channels of its output
   * @param resolution width and height of its output
   * @param resample up, down or neither
   * @param attention whether it attends; a block too narrow for one head never does
   * @param style what it shares with its network
   */
  public record Config(
      int in, int out, int resolution, Resample resample, boolean attention, BlockStyle style) {
    /** The heads of its attention; 0 for none. */
    public int heads() {
      return attention ? style.heads(out) : 0;
    }
  }

  /**
   * Makes the block.
   *
   * @throws ModelException when its groups or heads do not divide its channels
   */
  public UNetBlock(Config config) {
    this.config = config;
    BlockStyle s = config.style;
    int in = config.in;
    int out = config.out;
    int res = config.resolution;
    norm0 = child("norm0", new GroupNorm(in, s.eps()));
    conv0 =
        child(
            "conv0",
            new Conv2d(
                Conv2d.Config.resampling(
                    in, out, 3, res, config.resample, s.resampleFilter(), s.init())));
    affine =
        child(
            "affine",
            Linear.of(
                s.embChannels(),
                s.modulation() == BlockStyle.Modulation.SCALE_AND_SHIFT ? 2 * out : out,
                s.init()));
    norm1 = child("norm1", new GroupNorm(out, s.eps()));
    conv1 = child("conv1", new Conv2d(Conv2d.Config.plain(out, out, 3, res, s.initZero())));
    if (in != out || config.resample != Resample.NONE) {
      boolean projects = in != out || s.skip() == BlockStyle.Skip.ALWAYS_PROJECTED;
      skip =
          child(
              "skip",
              new Conv2d(
                  Conv2d.Config.resampling(
                      in,
                      out,
                      projects ? 1 : 0,
                      res,
                      config.resample,
                      s.resampleFilter(),
                      s.init())));
    } else {
      skip = null;
    }
    int heads = config.heads();
    if (heads > 0) {
      if (out % heads != 0) {
        throw new ModelException(
            "%s channels cannot be cut into %s equal attention heads".formatted(out, heads));
      }
      norm2 = child("norm2", new GroupNorm(out, s.eps()));
      Conv2d qkv =
          child("qkv", new Conv2d(Conv2d.Config.interleaving(out, 3, res, s.initAttention())));
      attention = new SelfAttention(qkv, heads, s.attention());
      proj = child("proj", new Conv2d(Conv2d.Config.plain(out, out, 1, res, s.initZero())));
    } else {
      norm2 = null;
      attention = null;
      proj = null;
    }
  }

  /** What this block is. */
  public Config config() {
    return config;
  }

  @Override
  protected void prepared() {
    if (attention != null) {
      prepare(attention, execution());
    }
  }

  /**
   * [N, in, H, W] to [N, out, H', W'].
   *
   * @param emb the noise embedding [N, embChannels] or [1, embChannels]
   */
  public Tensor forward(Tensor x, Tensor emb) {
    return observed(
        ActivationCheckpoints.segment(
            in -> computed(in.get(0), in.get(1), in.get(2)), List.of(x, emb, x)));
  }

  /** The input is given twice, as it is used twice: a segment has the gradients of both uses. */
  private Tensor computed(Tensor x, Tensor emb, Tensor unchanged) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor h = conv0.forward(activated(norm0.forward(x)));
      h = dropped(modulated(h, emb));
      Tensor branch = conv1.forward(h);
      h.close();
      Tensor beside = skip == null ? unchanged : skip.forward(unchanged);
      h = branch.add(beside);
      branch.close();
      if (skip != null) {
        beside.close();
      }
      h = scaled(h);
      if (attention != null && norm2 != null && proj != null) {
        Tensor a = proj.forward(attention.forward(norm2.forward(h)));
        h = scaled(a.add(h));
      }
      return scope.keep(h);
    }
  }

  private Tensor modulated(Tensor h, Tensor emb) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor p = Shapes.unsqueeze(Shapes.unsqueeze(affine.forward(emb), 2), 3).to(h.dtype());
      if (config.style.modulation() == BlockStyle.Modulation.SHIFT) {
        Tensor shifted = h.add(p);
        h.close();
        return scope.keep(norm1.forward(shifted));
      }
      List<Tensor> halves = Shapes.chunk(p, 2, 1);
      Tensor y = norm1.modulated(h, halves.get(0), halves.get(1));
      h.close();
      return scope.keep(y);
    }
  }

  /** SiLU, and in training dropout. */
  private Tensor dropped(Tensor fresh) {
    double p = isTraining() ? config.style.dropout() : 0;
    if (p == 0) {
      return activated(fresh);
    }
    if (!(execution() instanceof Execution.Direct) || fresh.device().type() != Device.Type.CPU) {
      return Functional.dropout(activated(fresh), p);
    }
    try (fresh) {
      return MaskedSilu.apply(fresh, p);
    }
  }

  /** SiLU, in place where nothing needs what it overwrites. */
  private Tensor activated(Tensor fresh) {
    return GradMode.isEnabled() ? fresh.silu() : Pointwise.siluInPlace(fresh);
  }

  private Tensor scaled(Tensor h) {
    return config.style.skipScale() == 1 ? h : h.mul(config.style.skipScale());
  }
}
