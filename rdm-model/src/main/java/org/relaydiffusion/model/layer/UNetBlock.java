// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.ModelException;
import org.relaydiffusion.torch.ActivationCheckpoints;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

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

  /** The bias of the projection [1, C, 1, 1], that of the attended values contained. */
  private @Nullable Tensor attendedBias;

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

  @Override
  protected void completed() {
    if (!(execution() instanceof Execution.Prepared prepared) || !affine.isSet()) {
      return;
    }
    if (skip != null) {
      conv1.absorbBias(skip);
    }
    if (attention != null && proj != null) {
      attention.prepareTokens(prepared);
      prepareProjection(attention, proj, prepared);
    }
  }

  /** What is added to attention's last product, P (a + v) + b = P a + (P v + b). */
  private void prepareProjection(
      SelfAttention from, Conv2d projection, Execution.Prepared prepared) {
    freePrepared();
    try (TensorScope _ = TensorScope.open()) {
      Tensor sum = projection.plainBias();
      Tensor values = from.valueBias();
      if (values != null && sum != null) {
        Tensor weight = projection.preparedWeight().to(DType.FLOAT32).reshape(config.out, -1);
        Tensor column = values.reshape(-1, 1);
        sum = sum.add(LinearAlgebra.matmul(weight, column).reshape(-1));
      }
      if (sum != null) {
        attendedBias = sum.to(prepared.dtype()).reshape(1, -1, 1, 1).release();
      }
    }
  }

  /** Whether the noise embedding scales, not only shifts. */
  boolean scales() {
    return config.style.modulation() == BlockStyle.Modulation.SCALE_AND_SHIFT;
  }

  /** Whether the affine layer has its values. */
  boolean hasAffine() {
    return affine.isSet();
  }

  /**
   * The affine layer for {@link Modulations}, which gives up its values: [embChannels + 1, out] for
   * the scale, if there is one, and for the shift. They are the current scope's.
   */
  List<Tensor> takeAffine() {
    try (TensorScope scope = TensorScope.open()) {
      Tensor bias = affine.plainBias().reshape(-1, 1);
      // [outputs, embChannels + 1], the biases last.
      Tensor all = Shapes.cat(List.of(affine.plainWeight(), bias), 1);
      List<Tensor> taken = new ArrayList<>();
      Tensor shift = all;
      if (scales()) {
        Tensor plusOne =
            Shapes.cat(List.of(Torch.zerosLike(affine.plainWeight()), Torch.onesLike(bias)), 1);
        Tensor scale = Shapes.narrow(all.add(plusOne), 0, 0, config.out);
        Tensor weight = norm1.plainWeight().reshape(-1, 1);
        taken.add(scope.keep(Shapes.transpose(scale.mul(weight), 0, 1).contiguous()));
        Tensor plain = Shapes.narrow(all, 0, config.out, config.out);
        shift = plain.add(scale.mul(norm1.plainBias().reshape(-1, 1)));
      } else if (conv0.plainBias() != null) {
        Tensor before = Objects.requireNonNull(conv0.plainBias()).reshape(-1, 1);
        shift = Shapes.cat(List.of(affine.plainWeight(), bias.add(before)), 1);
      }
      taken.add(scope.keep(Shapes.transpose(shift, 0, 1).contiguous()));
      affine.giveUp();
      return taken;
    }
  }

  /**
   * [N, in, H, W] to [N, out, H', W'].
   *
   * @param emb the noise embedding [N, embChannels] or [1, embChannels]
   */
  public Tensor forward(Tensor x, Tensor emb) {
    return forward(x, NoiseEmbedding.of(emb));
  }

  /** As {@link #forward(Tensor, Tensor)}, with what was made of the embedding for all blocks. */
  public Tensor forward(Tensor x, NoiseEmbedding emb) {
    if (execution() instanceof Execution.Prepared) {
      return observed(forwardPrepared(x, emb));
    }
    return observed(
        ActivationCheckpoints.segment(
            in -> computed(in.get(0), in.get(1), in.get(2)), List.of(x, emb.rows(), x)));
  }

  private Tensor forwardPrepared(Tensor x, NoiseEmbedding emb) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor h = normalised(convolved(x, emb), emb);
      Tensor branch = conv1.forward(activated(h));
      h.close();
      Tensor beside = skip == null ? x : skip.forward(x);
      h = scaled(branch.add(beside));
      branch.close();
      if (skip != null) {
        beside.close();
      }
      if (attention != null && norm2 != null && proj != null) {
        h = scaled(withAttended(h, attention.tokens(norm2.forward(h)), proj));
      }
      return scope.keep(h);
    }
  }

  /** The first convolution, with the shift after it where that is known. */
  private Tensor convolved(Tensor x, NoiseEmbedding emb) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor a = activated(norm0.forward(x));
      Modulation m = emb.of(this);
      if (m == null || m.scale() != null) {
        return scope.keep(conv0.forward(a));
      }
      Tensor shift = m.shift().reshape(m.shift().size(0), config.out, 1, 1);
      return scope.keep(conv0.forwardWithoutBias(a).add(shift));
    }
  }

  /** The normalisation after it, with scale and shift. Closes {@code fresh}. */
  private Tensor normalised(Tensor fresh, NoiseEmbedding emb) {
    Modulation m = emb.of(this);
    if (m == null) {
      return modulated(fresh, emb.rows());
    }
    try (fresh) {
      return m.scale() == null
          ? norm1.forward(fresh)
          : norm1.contained(fresh, m.scale().reshape(-1), m.shift().reshape(-1));
    }
  }

  /** h plus the projection of attended values [N, HW, C]. */
  private Tensor withAttended(Tensor h, Tensor tokens, Conv2d projection) {
    try (TensorScope scope = TensorScope.open()) {
      long n = tokens.size(0);
      long c = tokens.size(2);
      Tensor weight = projection.preparedWeight().to(tokens.dtype()).reshape(1, c, c);
      Tensor product =
          LinearAlgebra.bmm(Shapes.expand(weight, n, c, c), Shapes.transpose(tokens, 1, 2));
      Tensor sum = h.add(product.reshape(h.shape()));
      return scope.keep(attendedBias == null ? sum : sum.add(attendedBias));
    }
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

  private void freePrepared() {
    if (attendedBias != null) {
      attendedBias.close();
      attendedBias = null;
    }
  }

  @Override
  public void close() {
    super.close();
    freePrepared();
    if (attention != null) {
      attention.close();
    }
  }
}
