// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

/**
 * How far a window moves from one result to the next.
 *
 * @param height in rows
 * @param width in columns
 */
public record Stride2d(int height, int width) {}
