// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/** Cosines and sines at random frequencies, drawn once and saved with the network (NCSN++). */
public final class FourierEmbedding extends Module implements TimeEmbedding {
  private static final double SCALE = 16;

  private final Parameter freqs;

  /** Makes an embedding with {@code channels} features. */
  public FourierEmbedding(int channels) {
    freqs =
        buffer(
            "freqs",
            (generator, shape) -> {
              try (Tensor drawn = generator.randn(DType.FLOAT32, shape)) {
                return drawn.mul(SCALE);
              }
            },
            channels / 2);
  }

  @Override
  public Tensor forward(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor frequencies = freqs.value().mul(2 * Math.PI).to(x.dtype());
      return observed(scope.keep(PositionalEmbedding.cosSin(x, frequencies)));
    }
  }
}
