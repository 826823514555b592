// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The affine layers of all blocks of a network as one batched product for each width, in float32. A
 * block's scale and shift contain weight and bias of the normalisation beside them, which are
 * linear in them: with weight w, bias b, scale s and shift t, {@code (w n + b) (s + 1) + t = w (s +
 * 1) n + b (s + 1) + t}. The embedding gets a last feature of 1, whose weights are the biases. The
 * results are contiguous for each block, as a kernel takes them.
 */
public final class Modulations implements AutoCloseable {
  private final List<Width> widths;

  /** 1, [1, 1]. */
  private final Tensor one;

  /**
   * The blocks of one width.
   *
   * @param blocks in the order of their rows
   * @param weights [rows, embChannels + 1, width]: for each block its scale, if it has one, and its
   *     shift
   * @param dtype of the results
   */
  private record Width(List<UNetBlock> blocks, Tensor weights, DType dtype) {}

  private Modulations(List<Width> widths, Tensor one) {
    this.widths = widths;
    this.one = one;
  }

  /**
   * Takes the affine layers of blocks over, which give up their values.
   *
   * @param blocks of one network, prepared
   * @return none where the network computes in another way, or has no values
   */
  public static @Nullable Modulations of(List<UNetBlock> blocks, Execution execution) {
    if (!(execution instanceof Execution.Prepared prepared)
        || !blocks.stream().allMatch(UNetBlock::hasAffine)) {
      return null;
    }
    Map<Integer, List<UNetBlock>> byWidth = new LinkedHashMap<>();
    blocks.forEach(b -> byWidth.computeIfAbsent(b.config().out(), _ -> new ArrayList<>()).add(b));
    List<Width> widths = new ArrayList<>();
    try (TensorScope _ = TensorScope.open()) {
      for (List<UNetBlock> group : byWidth.values()) {
        List<Tensor> rows = group.stream().flatMap(b -> b.takeAffine().stream()).toList();
        Tensor weights = Torch.stack(rows, 0);
        rows.forEach(Tensor::close);
        widths.add(new Width(List.copyOf(group), weights.release(), prepared.dtype()));
      }
      Tensor one = Torch.ones(DType.FLOAT32, prepared.device(), 1, 1);
      return new Modulations(List.copyOf(widths), one.release());
    } catch (RuntimeException e) {
      widths.forEach(w -> w.weights.close());
      throw e;
    }
  }

  /**
   * What all blocks make of a noise embedding, in the current scope.
   *
   * @param rows float32 [N, embChannels] or [1, embChannels]
   * @param images N
   */
  public NoiseEmbedding of(Tensor rows, long images) {
    long features = rows.size(1);
    Tensor each =
        Shapes.cat(
            List.of(Shapes.expand(rows, images, features), Shapes.expand(one, images, 1)), 1);
    Map<UNetBlock, Modulation> made = new HashMap<>();
    for (Width width : widths) {
      long batch = width.weights.size(0);
      Tensor left = Shapes.expand(Shapes.unsqueeze(each, 0), batch, images, features + 1);
      List<Tensor> products =
          Shapes.unbind(LinearAlgebra.bmm(left, width.weights).to(width.dtype), 0);
      int at = 0;
      for (UNetBlock block : width.blocks) {
        Tensor scale = block.scales() ? products.get(at++) : null;
        made.put(block, new Modulation(scale, products.get(at++)));
      }
    }
    return new NoiseEmbedding(rows, made);
  }

  @Override
  public void close() {
    one.close();
    widths.forEach(w -> w.weights.close());
  }
}
