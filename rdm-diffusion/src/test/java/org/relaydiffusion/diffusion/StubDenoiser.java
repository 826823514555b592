// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * A network of any shape whose image is the noisy one, shrunk; it remembers each call's batch and
 * labels.
 */
record StubDenoiser(int resolution, int channels, int labelDim, double sigmaMin, List<Call> calls)
    implements Denoiser {
  /** One call. */
  record Call(long batch, float @Nullable [] labels) {}

  StubDenoiser(int resolution, int channels, int labelDim) {
    this(resolution, channels, labelDim, 0, Collections.synchronizedList(new ArrayList<>()));
  }

  @Override
  public Tensor denoise(Tensor x, Tensor sigma, @Nullable Tensor labels) {
    calls.add(new Call(x.size(0), labels == null ? null : labels.toFloats()));
    try (var scope = TensorScope.open()) {
      double s = sigma.item();
      return scope.keep(x.to(DType.FLOAT32).mul(0.25 / (0.25 + s * s)));
    }
  }

  @Override
  public double sigmaMax() {
    return Double.POSITIVE_INFINITY;
  }

  @Override
  public double roundSigma(double sigma) {
    return sigma;
  }
}
