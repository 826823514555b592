// SPDX-License-Identifier: Apache-2.0
/** Relay diffusion: samplers, blurring, and the pipeline from seeds to pixels. */
@NullMarked
package org.relaydiffusion.diffusion;

import org.jspecify.annotations.NullMarked;
