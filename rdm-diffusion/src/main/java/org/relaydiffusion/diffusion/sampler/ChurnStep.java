// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.torch.Tensor;

/**
 * The first part of a stochastic step (arXiv 2206.00364, algorithm 2, lines 4 to 6): the noise
 * level is raised to {@code that = t + gamma t} by adding {@code sqrt(that^2 - t^2) S_noise N}.
 *
 * @param x the state at {@code sigma}, float64
 * @param sigma {@code that}
 */
record ChurnStep(Tensor x, double sigma) {}
