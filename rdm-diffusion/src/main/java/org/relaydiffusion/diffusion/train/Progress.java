package org.relaydiffusion.diffusion.train;

/**
 * Where a run is.
 *
 * @param images trained on so far, over all processes
 * @param tick the next to end
 * @param tickImages at which it began
 */
record Progress(long images, int tick, long tickImages) {}
