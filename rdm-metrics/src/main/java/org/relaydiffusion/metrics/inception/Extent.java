// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

/**
 * The size of a layer's input.
 *
 * @param batch size
 * @param height in rows
 * @param width in columns
 */
record Extent(int batch, int height, int width) {}
