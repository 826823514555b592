// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

/** The compression of a PNG file. */
public enum Compression {
  /** None: the fastest, and as large as the pixels. */
  STORED(0),
  /** Filtered rows and the fastest deflate level. */
  FAST(1),
  /** Filtered rows and the best deflate level. */
  BEST(9);

  private final int level;

  Compression(int level) {
    this.level = level;
  }

  /** Returns the zlib level, 0 to 9. */
  int level() {
    return level;
  }
}
