package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.torch.Padding2d;

/**
 * The rectangle that a convolution or a pooling looks at, and how it moves.
 *
 * @param height in rows
 * @param width in columns
 * @param stride of both axes
 * @param padding beyond the image's edges
 */
record Kernel(int height, int width, int stride, Padding2d padding) {
  /** A square within the image, at every pixel. */
  static Kernel of(int size) {
    return of(size, size);
  }

  /** A rectangle within the image, at every pixel. */
  static Kernel of(int height, int width) {
    return new Kernel(height, width, 1, Padding2d.NONE);
  }

  /** The same at every second pixel of every second row. */
  Kernel halving() {
    return new Kernel(height, width, 2, padding);
  }

  /** The same, reaching so far beyond the edges that the result has the image's size. */
  Kernel padded() {
    return new Kernel(height, width, stride, new Padding2d(height / 2, width / 2));
  }

  /** The size of the result. */
  Extent over(Extent image) {
    return new Extent(
        image.batch(),
        (image.height() + 2 * padding.height() - height) / stride + 1,
        (image.width() + 2 * padding.width() - width) / stride + 1);
  }
}
