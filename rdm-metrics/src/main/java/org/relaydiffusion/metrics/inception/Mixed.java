// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Parallel branches with the same input; their channels are concatenated in the order of the
 * branches. The four kinds with nested names are created here.
 */
final class Mixed extends Layer {
  private static final Kernel K1 = Kernel.of(1);
  private static final Kernel K3 = Kernel.of(3);
  private static final Kernel K5 = Kernel.of(5).padded();
  private static final Kernel K3_PADDED = K3.padded();
  private static final Kernel K3_HALVING = K3.halving();
  private static final Kernel ROW = Kernel.of(1, 7).padded();
  private static final Kernel COLUMN = Kernel.of(7, 1).padded();

  private final List<Layer> branches = new ArrayList<>();
  private final int in;
  private final Widths widths;
  private int towers;

  private Mixed(int in, Widths widths) {
    this.in = in;
    this.widths = widths;
  }

  /**
   * Creates kind A, at 35 x 35.
   *
   * @param in number of input channels of the published network
   * @param pooled number of channels of its pooling branch
   */
  static Mixed a(int in, int pooled, Widths widths) {
    Mixed mixed = new Mixed(in, widths);
    mixed.conv(64, K1);
    mixed.tower().conv(48, K1).conv(64, K5);
    mixed.tower().conv(64, K1).conv(96, K3_PADDED).conv(96, K3_PADDED);
    mixed.pooled(pooled);
    return mixed;
  }

  /** Creates kind B, from 35 x 35 to 17 x 17. */
  static Mixed b(int in, Widths widths) {
    Mixed mixed = new Mixed(in, widths);
    mixed.conv(384, K3_HALVING);
    mixed.tower().conv(64, K1).conv(96, K3_PADDED).conv(96, K3_HALVING);
    mixed.branch("pool", PoolLayer.maximum(K3_HALVING));
    return mixed;
  }

  /**
   * Creates kind C, at 17 x 17, whose 7 x 7 convolutions are factored into rows and columns.
   *
   * @param narrow number of channels within its towers
   */
  static Mixed c(int in, int narrow, Widths widths) {
    Mixed mixed = new Mixed(in, widths);
    mixed.conv(192, K1);
    mixed.tower().conv(narrow, K1).conv(narrow, ROW).conv(192, COLUMN);
    mixed
        .tower()
        .conv(narrow, K1)
        .conv(narrow, COLUMN)
        .conv(narrow, ROW)
        .conv(narrow, COLUMN)
        .conv(192, ROW);
    mixed.pooled(192);
    return mixed;
  }

  /** Creates kind D, from 17 x 17 to 8 x 8. */
  static Mixed d(int in, Widths widths) {
    Mixed mixed = new Mixed(in, widths);
    mixed.tower().conv(192, K1).conv(320, K3_HALVING);
    mixed.tower().conv(192, K1).conv(192, ROW).conv(192, COLUMN).conv(192, K3_HALVING);
    mixed.branch("pool", PoolLayer.maximum(K3_HALVING));
    return mixed;
  }

  private void conv(int out, Kernel kernel) {
    branch("conv", new ConvLayer(widths.of(in), widths.of(out), kernel));
  }

  private Tower tower() {
    return branch(towerName(), new Tower(in, widths));
  }

  private void pooled(int out) {
    branch(towerName(), new PooledConv(widths.of(in), widths.of(out)));
  }

  private String towerName() {
    return Tower.numbered("tower", towers++);
  }

  private <L extends Layer> L branch(String name, L layer) {
    branches.add(child(name, layer));
    return layer;
  }

  @Override
  Extent prepare(Path path, Extent in) {
    Extent out = in;
    for (Layer branch : branches) {
      out = branch.prepare(path, in);
    }
    return out;
  }

  @Override
  Tensor forward(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      List<Tensor> parts = branches.stream().map(branch -> branch.forward(x)).toList();
      return observed(scope.keep(Shapes.cat(parts, 1)));
    }
  }
}
