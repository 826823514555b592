package org.relaydiffusion.model.layer;

import java.util.List;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Softmax attention of every pixel to every pixel: [N, C, H, W] to the values, before the
 * projection. The convolution {@code qkv} interleaves query, key and value channel by channel. The
 * softmax is in float32 whatever the network's type.
 */
final class SelfAttention {
  private final Conv2d qkv;
  private final int heads;
  private final boolean memoryEfficient;

  /**
   * Makes the attention.
   *
   * @param qkv a 1x1 convolution to three times the channels
   * @param heads that divide the channels
   * @param memoryEfficient whether LibTorch's fused kernel is used ({@code eff_attn})
   */
  SelfAttention(Conv2d qkv, int heads, boolean memoryEfficient) {
    this.qkv = qkv;
    this.heads = heads;
    this.memoryEfficient = memoryEfficient;
  }

  /** The attended values of a normalised input [N, C, H, W]; same shape. */
  Tensor forward(Tensor x) {
    return qkv.isFast() ? forwardFused(x) : memoryEfficient ? forwardEfficient(x) : forwardExact(x);
  }

  private Tensor forwardExact(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      long[] s = x.shape();
      long width = s[1] / heads;
      List<Tensor> parts =
          Shapes.unbind(qkv.forward(x).reshape(s[0] * heads, width, 3, s[2] * s[3]), 2);
      Tensor q = parts.get(0).to(DType.FLOAT32);
      Tensor k = parts.get(1).div(Math.sqrt(width)).to(DType.FLOAT32);
      Tensor scores = LinearAlgebra.einsum("ncq,nck->nqk", q, k);
      Tensor weights = Functional.softmax(scores, 2).to(x.dtype());
      scores.close();
      Tensor a = LinearAlgebra.einsum("nqk,nck->ncq", weights, parts.get(2));
      return scope.keep(a.reshape(s));
    }
  }

  private Tensor forwardEfficient(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      long[] s = x.shape();
      long width = s[1] / heads;
      // [N, heads, width, 3, HW] to three of [N, heads, HW, width].
      List<Tensor> parts =
          Shapes.unbind(
              Shapes.permute(
                  qkv.forward(x).reshape(s[0], heads, width, 3, s[2] * s[3]), 3, 0, 1, 4, 2),
              0);
      Tensor a =
          Functional.attention(
              parts.get(0).contiguous(), parts.get(1).contiguous(), parts.get(2).contiguous());
      return scope.keep(Shapes.transpose(a, 2, 3).reshape(s));
    }
  }

  /** In channels-last order no element moves: pixels are rows, heads are column blocks. */
  private Tensor forwardFused(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      long[] s = x.shape();
      long width = s[1] / heads;
      // The fused kernel is twenty times slower in bfloat16.
      Tensor rows = Shapes.permute(qkv.forward(x), 0, 2, 3, 1).to(DType.FLOAT32);
      List<Tensor> parts =
          Shapes.unbind(
              Shapes.permute(rows.reshape(s[0], s[2] * s[3], 3, heads, width), 2, 0, 3, 1, 4), 0);
      Tensor a = Functional.attention(parts.get(0), parts.get(1), parts.get(2));
      Tensor image = Shapes.transpose(a, 1, 2).reshape(s[0], s[2], s[3], s[1]);
      return scope.keep(Shapes.permute(image.to(x.dtype()), 0, 3, 1, 2));
    }
  }
}
