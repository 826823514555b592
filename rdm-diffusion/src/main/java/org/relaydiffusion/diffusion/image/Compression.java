package org.relaydiffusion.diffusion.image;

/** How much work goes into making a PNG file small. */
public enum Compression {
  /** None: the quickest, and as large as the pixels. */
  STORED(0),
  /** Filtered rows and the quickest deflate. */
  FAST(1),
  /** Filtered rows and the most thorough deflate. */
  BEST(9);

  private final int level;

  Compression(int level) {
    this.level = level;
  }

  /** The level for zlib, 0 to 9. */
  int level() {
    return level;
  }
}
