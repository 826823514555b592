// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.blur.DampingTable;
import org.relaydiffusion.diffusion.blur.PatchDct;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * One step of the relay from noise level t to t' > 0 (arXiv 2309.03350, section 3.3). In the
 * frequency domain of the patches, with u = dct(x), u0 = dct(D(x; t)), slope {@code d = (u - u0) /
 * t}, damping alpha and {@code gamma = sqrt(1 - s_noise^2) t' / t}:
 *
 * <pre>
 * x' = idct((alpha' + gamma - gamma alpha) u + t (gamma alpha - alpha') d)
 *     + s_noise t' (N + s_block B)
 * </pre>
 *
 * <p>then once more with the mean of d and the slope at x', and with new noise. The factors of u
 * and d are float32, like alpha; the state is float64.
 *
 * @param options blur and noise
 * @param guided the network with guidance
 * @param noise N + s_block B
 * @param transform the cosine transform of the patches
 * @param dampings alpha at each noise level
 */
record RelayStep(
    RelayOptions options,
    GuidedDenoiser guided,
    RelayNoise noise,
    PatchDct transform,
    DampingTable dampings) {
  /**
   * Creates the steps of a run; what they need for all steps belongs to the current scope.
   *
   * @param levels at which steps begin and end
   * @param device of the images
   */
  static RelayStep of(
      RelayOptions options,
      GuidedDenoiser guided,
      RelayNoise noise,
      double[] levels,
      Device device) {
    return new RelayStep(
        options,
        guided,
        noise,
        PatchDct.of(options.upScale(), DType.FLOAT64, device),
        DampingTable.of(options.blurSchedule(), levels, options.upScale(), device));
  }

  /**
   * Performs the step.
   *
   * @param from the state, before churn
   * @param t the noise level passed to the network, after churn
   * @param denoised the prediction of the network
   * @param target t', above 0
   */
  Tensor take(Tensor from, double t, Tensor denoised, double target) {
    try (var scope = TensorScope.open()) {
      double gamma = Math.sqrt(1 - options.noise() * options.noise()) * target / t;
      Tensor damping = dampings.at(t, from);
      Tensor dampingAtEnd = dampings.at(target, from);
      Tensor kept = dampingAtEnd.add(gamma).sub(damping.mul(gamma));
      Tensor pulled = damping.mul(gamma).sub(dampingAtEnd).mul(t);

      Tensor u = transform.transform(from);
      Tensor slope = u.sub(transform.transform(denoised)).div(t);
      Tensor x = land(u.mul(kept), pulled, slope, target);
      Tensor predicted = transform.transform(guided.denoise(x, target));
      Tensor slopeAtEnd = transform.transform(x).sub(predicted).div(target);
      Tensor mean = slope.add(slopeAtEnd).div(2);
      return scope.keep(land(u.mul(kept), pulled, mean, target));
    }
  }

  private Tensor land(Tensor kept, Tensor pulled, Tensor slope, double target) {
    try (var scope = TensorScope.open()) {
      Tensor x = transform.inverse(kept.add(slope.mul(pulled)));
      return scope.keep(x.add(noise.draw(x).mul(options.noise() * target)));
    }
  }
}
