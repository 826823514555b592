// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.util.List;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The last two blocks, at 8 x 8: two of their branches end in a row and a column convolution, and
 * their names are not nested.
 */
final class MixedE extends Layer {
  private static final Kernel K1 = Kernel.of(1);
  private static final Kernel ROW = Kernel.of(1, 3).padded();
  private static final Kernel COLUMN = Kernel.of(3, 1).padded();

  private final Widths widths;
  private final ConvLayer conv;
  private final ConvLayer narrow;
  private final ConvLayer narrowRow;
  private final ConvLayer narrowColumn;
  private final ConvLayer wide;
  private final ConvLayer wideSquare;
  private final ConvLayer wideRow;
  private final ConvLayer wideColumn;
  private final PoolLayer pool;
  private final ConvLayer pooled;

  /**
   * Creates the block.
   *
   * @param in number of input channels of the published network
   * @param pool its pooling, which keeps the size
   */
  MixedE(int in, PoolLayer pool, Widths widths) {
    this.widths = widths;
    conv = conv("conv", in, 320, K1);
    narrow = conv("tower_conv", in, 384, K1);
    narrowRow = conv("tower_mixed_conv", 384, 384, ROW);
    narrowColumn = conv("tower_mixed_conv_1", 384, 384, COLUMN);
    wide = conv("tower_1_conv", in, 448, K1);
    wideSquare = conv("tower_1_conv_1", 448, 384, Kernel.of(3).padded());
    wideRow = conv("tower_1_mixed_conv", 384, 384, ROW);
    wideColumn = conv("tower_1_mixed_conv_1", 384, 384, COLUMN);
    this.pool = child("tower_2_pool", pool);
    pooled = conv("tower_2_conv", in, 192, K1);
  }

  private ConvLayer conv(String name, int in, int out, Kernel kernel) {
    return child(name, new ConvLayer(widths.of(in), widths.of(out), kernel));
  }

  @Override
  Extent prepare(Path path, Extent in) {
    // Every layer keeps the size.
    children().values().forEach(layer -> ((Layer) layer).prepare(path, in));
    return in;
  }

  @Override
  Tensor forward(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor a = narrow.forward(x);
      Tensor b = wideSquare.forward(wide.forward(x));
      List<Tensor> parts =
          List.of(
              conv.forward(x),
              narrowRow.forward(a),
              narrowColumn.forward(a),
              wideRow.forward(b),
              wideColumn.forward(b),
              pooled.forward(pool.forward(x)));
      return observed(scope.keep(Shapes.cat(parts, 1)));
    }
  }
}
