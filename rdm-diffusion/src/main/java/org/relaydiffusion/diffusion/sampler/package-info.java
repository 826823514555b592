// SPDX-License-Identifier: Apache-2.0
/** Solvers: from a guided denoiser and noise, or an image, to images. */
@NullMarked
package org.relaydiffusion.diffusion.sampler;

import org.jspecify.annotations.NullMarked;
