// SPDX-License-Identifier: Apache-2.0
/**
 * WebP images: the container, lossy VP8 frames (RFC 6386) and lossless VP8L frames (RFC 9649),
 * decoded to the pixel values of libwebp.
 */
@NullMarked
package org.relaydiffusion.diffusion.image.webp;

import org.jspecify.annotations.NullMarked;
