/**
 * WebP pictures: the container, lossy VP8 frames (RFC 6386) and lossless VP8L ones (RFC 9649),
 * decoded to the values that libwebp gives.
 */
@NullMarked
package org.relaydiffusion.diffusion.image.webp;

import org.jspecify.annotations.NullMarked;
