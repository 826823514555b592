// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.unet.NetworkConfig;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The convolution of a network with the most arithmetic, in the layout and dtype of each variant.
 */
final class LargestConvolution {
  private static final int REPETITIONS = 5;

  private final FlopCount.Convolution shape;
  private final Tensor x;
  private final Tensor weight;

  /** Its operands belong to the current scope. */
  LargestConvolution(NetworkConfig config, int batch, Generator g) {
    shape = FlopCount.largest(config);
    x = g.randn(DType.FLOAT32, batch, shape.in(), shape.resolution(), shape.resolution());
    weight = g.randn(DType.FLOAT32, shape.out(), shape.in(), shape.kernel(), shape.kernel());
  }

  /** Returns the floating-point operations per second of the forward pass alone. */
  double rate(Numerics numerics, DType dtype) {
    MemoryFormat format =
        numerics == Numerics.FAST ? MemoryFormat.CHANNELS_LAST : MemoryFormat.CONTIGUOUS;
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Tensor input = Shapes.contiguous(x.to(dtype), format);
      Tensor w = Shapes.contiguous(weight.to(dtype), format);
      double[] rates = new double[REPETITIONS];
      for (int i = 0; i < rates.length; i++) {
        long start = System.nanoTime();
        Functional.conv2d(input, w, null, 1, shape.kernel() / 2, 1).close();
        rates[i] = shape.flops() * x.size(0) / ((System.nanoTime() - start) / 1e9);
      }
      return Samples.median(rates);
    }
  }
}
