// SPDX-License-Identifier: Apache-2.0
/** Noise levels and blur strengths of a sampling run, in plain Java arithmetic. */
@NullMarked
package org.relaydiffusion.diffusion.schedule;

import org.jspecify.annotations.NullMarked;
