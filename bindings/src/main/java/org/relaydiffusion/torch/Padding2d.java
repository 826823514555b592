// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

/**
 * Rows and columns beyond an image's edges, as many on either side.
 *
 * @param height above and below
 * @param width left and right
 */
public record Padding2d(int height, int width) {
  /** No padding. */
  public static final Padding2d NONE = new Padding2d(0, 0);
}
