package org.relaydiffusion.metrics.inception;

/**
 * The size of images.
 *
 * @param height in rows
 * @param width in columns
 */
record Extent(int height, int width) {}
