// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Tensor;

/** Holds the last prediction of a network for {@link Preview}. */
final class LatestPrediction implements GuidedDenoiser, Preview, AutoCloseable {
  private final GuidedDenoiser denoiser;
  private @Nullable Tensor latest;

  LatestPrediction(GuidedDenoiser denoiser) {
    this.denoiser = denoiser;
  }

  @Override
  public Tensor denoise(Tensor x, double sigma) {
    return held(denoiser.denoise(x, sigma));
  }

  private Tensor held(Tensor prediction) {
    close();
    latest = prediction.detach().release();
    return prediction;
  }

  @Override
  public Denoiser network() {
    return denoiser.network();
  }

  @Override
  public GuidedDenoiser unguided() {
    return new Unguided(denoiser.unguided());
  }

  /** Predictions without guidance are held in the same place. */
  private final class Unguided implements GuidedDenoiser {
    private final GuidedDenoiser plain;

    Unguided(GuidedDenoiser plain) {
      this.plain = plain;
    }

    @Override
    public Tensor denoise(Tensor x, double sigma) {
      return held(plain.denoise(x, sigma));
    }

    @Override
    public Denoiser network() {
      return plain.network();
    }

    @Override
    public GuidedDenoiser unguided() {
      return this;
    }
  }

  @Override
  public Tensor denoised() {
    if (latest == null) {
      throw new IllegalStateException("the solver has made no prediction");
    }
    return latest.detach();
  }

  @Override
  public void close() {
    if (latest != null) {
      latest.close();
      latest = null;
    }
  }
}
