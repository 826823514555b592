// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.guidance;

import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Guidance by a weaker network: {@code D_weak + w (D - D_weak)} within the interval of noise
 * levels, otherwise the network alone; both are given the labels (Karras et al., arXiv 2406.02507).
 *
 * @param plain the network and the labels
 * @param weak the weaker network and the labels
 * @param options the scale w, above 1, and the interval
 */
public record Autoguidance(PlainDenoiser plain, PlainDenoiser weak, GuidanceOptions options)
    implements GuidedDenoiser {
  @Override
  public Denoiser network() {
    return plain.network();
  }

  @Override
  public GuidedDenoiser unguided() {
    return plain;
  }

  @Override
  public Tensor denoise(Tensor x, double sigma) {
    if (!options.interval().contains(sigma)) {
      return plain.denoise(x, sigma);
    }
    try (var scope = TensorScope.open()) {
      Tensor strong = plain.denoise(x, sigma);
      Tensor weaker = weak.denoise(x, weak.network().roundSigma(sigma));
      return scope.keep(weaker.add(strong.sub(weaker).mul(options.scale())));
    }
  }
}
