// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

/**
 * The position of a run.
 *
 * @param images trained on so far, over all processes
 * @param tick the current tick
 * @param tickImages number of images at which it began
 */
record Progress(long images, int tick, long tickImages) {}
