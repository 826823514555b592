// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Tensor;

/** Average or maximum pooling; positions in the padding are ignored. */
final class PoolLayer extends Layer {
  private final Kind kind;
  private final Kernel kernel;

  /** The kind of pooling. */
  private enum Kind {
    AVERAGE,
    MAXIMUM
  }

  private PoolLayer(Kind kind, Kernel kernel) {
    this.kind = kind;
    this.kernel = kernel;
  }

  /** Creates average pooling with {@code kernel}. */
  static PoolLayer average(Kernel kernel) {
    return new PoolLayer(Kind.AVERAGE, kernel);
  }

  /** Creates max pooling with {@code kernel}. */
  static PoolLayer maximum(Kernel kernel) {
    return new PoolLayer(Kind.MAXIMUM, kernel);
  }

  @Override
  Extent prepare(Path path, Extent in) {
    return kernel.over(in);
  }

  @Override
  Tensor forward(Tensor x) {
    int size = kernel.height();
    int padding = kernel.padding().height();
    return observed(
        switch (kind) {
          case AVERAGE -> Functional.averagePool(x, size, kernel.stride(), padding);
          case MAXIMUM -> Functional.maxPool(x, size, kernel.stride(), padding);
        });
  }
}
