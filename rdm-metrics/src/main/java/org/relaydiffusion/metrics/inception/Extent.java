package org.relaydiffusion.metrics.inception;

/**
 * Images as they come to a layer.
 *
 * @param batch how many at a time
 * @param height in rows
 * @param width in columns
 */
record Extent(int batch, int height, int width) {}
