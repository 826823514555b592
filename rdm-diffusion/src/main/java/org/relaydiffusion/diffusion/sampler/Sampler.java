// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Tensor;

/**
 * Samples images from noise, or from the images of the first stage. The state is float64; the
 * network receives float32. Noise is drawn in the reference's order, even if it is then multiplied
 * by 0.
 */
public sealed interface Sampler permits EdmSampler, EdmSdeSampler, RelaySampler {
  /** Returns the first stage's sampler selected by {@code options}. */
  static Sampler of(EdmOptions options, Guidance.Evaluation evaluation) {
    return options.sdeScale().isPresent()
        ? new EdmSdeSampler(options)
        : new EdmSampler(options, evaluation);
  }

  /**
   * Samples a batch. Gradients are recorded unless the caller disables them ({@code
   * GradMode.noGrad()}).
   *
   * @param net the network; its resolution may differ from that of {@code start}
   * @param labels [N, labelDim] float32, or null
   * @param start [N, C, H, W]: standard normal latents, or the upsampled images of the first stage;
   *     not modified
   * @param noise N generators, from which all further noise is drawn
   * @param listener receives every step
   * @return float64 [N, C, H, W], owned by the caller
   */
  Tensor sample(
      Denoiser net,
      @Nullable Tensor labels,
      Tensor start,
      StackedGenerators noise,
      StepListener listener);
}
