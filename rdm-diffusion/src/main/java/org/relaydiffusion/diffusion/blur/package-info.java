// SPDX-License-Identifier: Apache-2.0
/** The blur of the relay's second stage: patch-wise cosine transforms, damping, block noise. */
@NullMarked
package org.relaydiffusion.diffusion.blur;

import org.jspecify.annotations.NullMarked;
