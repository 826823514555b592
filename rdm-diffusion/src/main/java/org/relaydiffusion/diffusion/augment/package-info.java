// SPDX-License-Identifier: Apache-2.0
/**
 * The augmentation of EDM's training (arXiv 2206.00364, appendix F.2), including the colour
 * operations of StyleGAN2-ADA (arXiv 2006.06676, appendix B): pixel blitting, geometry and colour,
 * and the labels with which the network is conditioned so that augmentations do not leak into its
 * samples.
 */
@NullMarked
package org.relaydiffusion.diffusion.augment;

import org.jspecify.annotations.NullMarked;
