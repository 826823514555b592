// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Autograd;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Softmax attention of every pixel to every pixel: [N, C, H, W] to the values, before the
 * projection. The convolution {@code qkv} interleaves query, key and value channel by channel. The
 * softmax is in float32 whatever the network's type, except where it is packed in bfloat16: scores
 * and weights are bfloat16 there. Its block, whose part {@code qkv} is, tells it how to compute.
 */
final class SelfAttention extends Layer {
  /**
   * How many scores of a softmax lie in memory at a time: 64 MiB in bfloat16, and their softmax.
   */
  private static final long MAX_SCORES = 1 << 25;

  private final Conv2d qkv;
  private final int heads;
  private final BlockStyle.AttentionKernel kernel;

  /** The bias of the queries [C], for {@link Execution.Prepared}. */
  private @Nullable Tensor queryBias;

  /**
   * Makes the attention.
   *
   * @param qkv a 1x1 convolution to three times the channels
   * @param heads that divide the channels
   * @param kernel what the reference attends with
   */
  SelfAttention(Conv2d qkv, int heads, BlockStyle.AttentionKernel kernel) {
    this.qkv = qkv;
    this.heads = heads;
    this.kernel = kernel;
  }

  /** The attended values of a normalised input [N, C, H, W]; same shape. */
  Tensor forward(Tensor x) {
    return switch (execution()) {
      case Execution.Reference _ ->
          switch (kernel) {
            case SOFTMAX -> forwardExact(x);
            case FUSED -> forwardEfficient(x);
          };
      case Execution.Direct direct ->
          direct.format(qkv.config().resolution()) == MemoryFormat.CHANNELS_LAST
              ? attended(qkv.forwardSorted(x))
              : forwardInterleaved(x);
      case Execution.Packed packed ->
          packed.dtype() == DType.BFLOAT16
              ? forwardProducts(qkv.forwardSorted(x))
              : attended(qkv.forwardSorted(x));
      case Execution.Prepared _ ->
          throw new IllegalStateException("a prepared block asks for tokens");
    };
  }

  /**
   * Keeps what {@link #tokens} adds, once {@code qkv} is prepared. Of the three biases only that of
   * the queries matters there: that of the keys adds the same to all scores of a query, which
   * softmax takes away, and that of the values is added to each result as it is, so that the
   * projection's bias can contain it ({@link #valueBias}).
   */
  void prepareTokens(Execution.Prepared prepared) {
    Tensor biases = qkv.plainBias();
    freePrepared();
    if (biases != null) {
      try (TensorScope _ = TensorScope.open()) {
        Tensor first = Shapes.narrow(biases, 0, 0, biases.size(0) / 3);
        queryBias = Shapes.copy(first.to(prepared.dtype())).release();
      }
    }
  }

  /** The bias of the values [C] in float32, or none. */
  @Nullable Tensor valueBias() {
    Tensor biases = qkv.plainBias();
    if (biases == null) {
      return null;
    }
    long width = biases.size(0) / 3;
    return Shapes.narrow(biases, 0, 2 * width, width);
  }

  /**
   * The attended values as rows of pixels, [N, HW, C], of a normalised input [N, C, H, W], without
   * the bias of the values. The convolution is a product that gives pixels as rows, so that no
   * element moves before attention or after it.
   */
  Tensor tokens(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      long n = x.size(0);
      long c = x.size(1);
      long pixels = x.size(2) * x.size(3);
      Tensor weight = qkv.preparedWeight().to(x.dtype()).reshape(3 * c, c);
      Tensor columns =
          Shapes.expand(Shapes.unsqueeze(Shapes.transpose(weight, 0, 1), 0), n, c, 3 * c);
      Tensor rows = Shapes.transpose(x.reshape(n, c, pixels), 1, 2);
      Tensor all = LinearAlgebra.bmm(rows, columns);
      List<Tensor> parts = Shapes.chunk(all, 3, 2);
      Tensor q = queryBias == null ? parts.get(0) : parts.get(0).add(queryBias.to(x.dtype()));
      Tensor a = Functional.attention(heads(q), heads(parts.get(1)), heads(parts.get(2)));
      return scope.keep(Shapes.transpose(a, 1, 2).reshape(n, pixels, c));
    }
  }

  /** [N, HW, C] as [N, heads, HW, C / heads]. */
  private Tensor heads(Tensor rows) {
    long width = rows.size(2) / heads;
    return Shapes.transpose(rows.reshape(rows.size(0), rows.size(1), heads, width), 1, 2);
  }

  private Tensor forwardExact(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      long[] s = x.shape();
      long width = s[1] / heads;
      List<Tensor> parts =
          Shapes.unbind(qkv.forward(x).reshape(s[0] * heads, width, 3, s[2] * s[3]), 2);
      Tensor scores = scores(parts.get(0), parts.get(1), Math.sqrt((double) width));
      Tensor weights = Functional.softmax(scores, 2).to(x.dtype());
      scores.close();
      Tensor a = LinearAlgebra.einsum("nqk,nck->ncq", weights, parts.get(2));
      return scope.keep(a.reshape(s));
    }
  }

  /**
   * {@code q^T k / root} in float32, [N, Q, K] from [N, C, Q] and [N, C, K]. The reference divides
   * k on the way there, but both products' gradients on the way back: its gradients by q and by k
   * are {@code (k dS^T) / root} and {@code (q dS) / root}, with the k that was not divided.
   */
  static Tensor scores(Tensor q, Tensor k, double root) {
    try (TensorScope scope = TensorScope.open()) {
      if (!GradMode.isEnabled() || !q.requiresGrad()) {
        return scope.keep(value(q, k, root));
      }
      // Two products that go back so, one by each operand; what they are is replaced.
      Tensor byQuery =
          Shapes.transpose(
              LinearAlgebra.bmm(rows(k.detach()), q.div(root).to(DType.FLOAT32)), 1, 2);
      Tensor byKey = LinearAlgebra.bmm(rows(q.detach()), k.div(root).to(DType.FLOAT32));
      Tensor sum = byQuery.add(byKey);
      byQuery.close();
      byKey.close();
      try (GradMode _ = GradMode.noGrad()) {
        return scope.keep(Autograd.withValue(sum, value(q, k, root)));
      }
    }
  }

  private static Tensor value(Tensor q, Tensor k, double root) {
    return LinearAlgebra.einsum("ncq,nck->nqk", q.to(DType.FLOAT32), k.div(root).to(DType.FLOAT32));
  }

  private static Tensor rows(Tensor x) {
    return Shapes.transpose(x.to(DType.FLOAT32), 1, 2);
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

  /** As {@link #attended}, where elements have to move anyway: rows are images, or interleaved. */
  private Tensor forwardInterleaved(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      long[] s = x.shape();
      Tensor turns = precise(qkv.forward(x)).reshape(s[0], heads, s[1] / heads, 3, s[2] * s[3]);
      Tensor parts = Shapes.permute(turns, 3, 0, 1, 4, 2).contiguous();
      return scope.keep(image(Shapes.unbind(parts, 0), s).to(x.dtype()));
    }
  }

  /**
   * From query, key and value [N, 3C, H, W] as three blocks in channels-last order: no element
   * moves, pixels are rows and heads are column blocks.
   */
  private Tensor attended(Tensor blocks) {
    try (TensorScope scope = TensorScope.open()) {
      long[] s = blocks.shape();
      s[1] /= 3;
      Tensor rows = Shapes.permute(precise(blocks), 0, 2, 3, 1);
      Tensor parts = rows.reshape(s[0], s[2] * s[3], 3, heads, s[1] / heads);
      return scope.keep(
          image(Shapes.unbind(Shapes.permute(parts, 2, 0, 3, 1, 4), 0), s).to(blocks.dtype()));
    }
  }

  /**
   * As {@link #attended}, in bfloat16 as batched products, which run on the processor's bfloat16 or
   * matrix units. The CPU's fused kernel does not: it takes twenty times as long in bfloat16 as in
   * float32, and twice as long as this in float32.
   */
  private Tensor forwardProducts(Tensor blocks) {
    try (TensorScope scope = TensorScope.open()) {
      long[] s = blocks.shape();
      s[1] /= 3;
      long pixels = s[2] * s[3];
      long width = s[1] / heads;
      Tensor rows = Shapes.permute(blocks, 0, 2, 3, 1).reshape(s[0], pixels, 3, heads, width);
      Tensor parts = Shapes.permute(rows, 2, 0, 3, 1, 4).contiguous();
      List<Tensor> each = Shapes.unbind(parts.reshape(3, s[0] * heads, pixels, width), 0);
      Tensor q = each.get(0).div(Math.sqrt((double) width));
      Tensor k = Shapes.transpose(each.get(1), 1, 2);
      // Heads are independent: as many at a time as fit.
      long step = Math.max(1, MAX_SCORES / (pixels * pixels));
      List<Tensor> attended = new ArrayList<>();
      for (long at = 0; at < q.size(0); at += step) {
        long n = Math.min(step, q.size(0) - at);
        attended.add(
            weighted(
                Shapes.narrow(q, 0, at, n),
                Shapes.narrow(k, 0, at, n),
                Shapes.narrow(each.get(2), 0, at, n)));
      }
      Tensor a = attended.size() == 1 ? attended.getFirst() : Shapes.cat(attended, 0);
      return scope.keep(pixels(a.reshape(s[0], heads, pixels, width), s));
    }
  }

  /** softmax(q k) v for q [B, L, E], k [B, E, L] and v [B, L, E]. */
  private static Tensor weighted(Tensor q, Tensor k, Tensor v) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor scores = LinearAlgebra.bmm(q, k);
      Tensor weights = Functional.softmax(scores, 2);
      scores.close();
      return scope.keep(LinearAlgebra.bmm(weights, v));
    }
  }

  /** Attends with query, key and value [N, heads, HW, width], and puts the pixels of s back. */
  private static Tensor image(List<Tensor> parts, long[] s) {
    return pixels(Functional.attention(parts.get(0), parts.get(1), parts.get(2)), s);
  }

  /** The pixels of s from attended values [N, heads, HW, width]. */
  private static Tensor pixels(Tensor a, long[] s) {
    Tensor image = Shapes.transpose(a, 1, 2).reshape(s[0], s[2], s[3], s[1]);
    return Shapes.permute(image, 0, 3, 1, 2);
  }

  /** The CPU's fused kernel is twenty times slower in bfloat16 than in float32. */
  private static Tensor precise(Tensor x) {
    return x.device().type() == Device.Type.CPU ? x.to(DType.FLOAT32) : x;
  }

  private void freePrepared() {
    if (queryBias != null) {
      queryBias.close();
      queryBias = null;
    }
  }

  @Override
  public void close() {
    super.close();
    freePrepared();
  }
}
