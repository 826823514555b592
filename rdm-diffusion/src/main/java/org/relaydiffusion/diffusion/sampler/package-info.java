// SPDX-License-Identifier: Apache-2.0
/** The samplers: from a denoiser and noise to images. */
@NullMarked
package org.relaydiffusion.diffusion.sampler;

import org.jspecify.annotations.NullMarked;
