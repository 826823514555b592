package org.relaydiffusion.diffusion.sampler;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Tensor;

/**
 * From noise (or a first stage's image) to an image. The state is float64, the network sees
 * float32. The noise is drawn in the reference's order, also where it is then multiplied by 0.
 */
public sealed interface Sampler permits EdmSampler, EdmSdeSampler, RelaySampler {
  /** The first stage's sampler that {@code options} choose. */
  static Sampler of(EdmOptions options, Guidance.Evaluation evaluation) {
    return options.sdeScale().isPresent()
        ? new EdmSdeSampler(options)
        : new EdmSampler(options, evaluation);
  }

  /**
   * Samples a batch. Records no gradients only if its caller says so ({@code GradMode.noGrad()}).
   *
   * @param net the network; its resolution need not be that of {@code start}
   * @param labels [N, labelDim] float32, or null
   * @param start [N, C, H, W]: standard normal latents, or the upsampled first stage
   * @param noise N generators, from which all further noise comes
   * @param listener hears of every step
   * @return float64 [N, C, H, W], the caller's; what {@code start} was is unchanged
   */
  Tensor sample(
      Denoiser net,
      @Nullable Tensor labels,
      Tensor start,
      StackedGenerators noise,
      StepListener listener);
}
