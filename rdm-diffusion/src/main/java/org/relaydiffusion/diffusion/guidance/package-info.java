// SPDX-License-Identifier: Apache-2.0
/** Guidance: how the predictions of a network are strengthened before a solver steps along them. */
@NullMarked
package org.relaydiffusion.diffusion.guidance;

import org.jspecify.annotations.NullMarked;
