/**
 * The augmentation of EDM's training (arXiv 2206.00364, appendix F.2) with the colour part of
 * StyleGAN2-ADA's (arXiv 2006.06676, appendix B): pixel blitting, geometry and colour, and the
 * labels that tell the network what was done, so that it need not do it to its own images.
 */
@NullMarked
package org.relaydiffusion.diffusion.augment;

import org.jspecify.annotations.NullMarked;
