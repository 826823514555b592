// SPDX-License-Identifier: Apache-2.0
/** 8-bit images: from tensors to pixels, post-processing, image files, contact sheets. */
@NullMarked
package org.relaydiffusion.diffusion.image;

import org.jspecify.annotations.NullMarked;
