// SPDX-License-Identifier: Apache-2.0
/**
 * The training losses: noise is added to images, and the network predicts the images (EDM, arXiv
 * 2206.00364, section 5; the blurring loss is that of Relay Diffusion, arXiv 2309.03350, section
 * 3).
 */
@NullMarked
package org.relaydiffusion.diffusion.loss;

import org.jspecify.annotations.NullMarked;
