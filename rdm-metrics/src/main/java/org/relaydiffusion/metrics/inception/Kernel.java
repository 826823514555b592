// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.torch.Padding2d;

/**
 * The window of a convolution or pooling.
 *
 * @param height in rows
 * @param width in columns
 * @param stride of both axes
 * @param padding beyond the edges of the image
 */
record Kernel(int height, int width, int stride, Padding2d padding) {
  /** Returns a square window with stride 1 and no padding. */
  static Kernel of(int size) {
    return of(size, size);
  }

  /** Returns a rectangular window with stride 1 and no padding. */
  static Kernel of(int height, int width) {
    return new Kernel(height, width, 1, Padding2d.NONE);
  }

  /** Returns this window with stride 2. */
  Kernel halving() {
    return new Kernel(height, width, 2, padding);
  }

  /** Returns this window padded so that the result has the size of the input. */
  Kernel padded() {
    return new Kernel(height, width, stride, new Padding2d(height / 2, width / 2));
  }

  /** Returns the size of the result. */
  Extent over(Extent image) {
    return new Extent(
        image.batch(),
        (image.height() + 2 * padding.height() - height) / stride + 1,
        (image.width() + 2 * padding.width() - width) / stride + 1);
  }
}
