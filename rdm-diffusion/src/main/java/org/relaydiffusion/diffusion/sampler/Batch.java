// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.torch.Tensor;

/**
 * One batch on its way through a stage.
 *
 * @param denoiser the network with labels and guidance
 * @param start [N, C, H, W]: standard normal latents, or upsampled images
 * @param levels the noise levels of the steps
 * @param noise N generators
 */
public record Batch(
    GuidedDenoiser denoiser, Tensor start, NoiseLevels levels, StackedGenerators noise) {}
