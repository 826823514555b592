// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Keeps decoded images in the order of their first use, up to a budget in bytes; later ones are
 * decoded every time. Thread-safe.
 */
final class ImageCache {
  private final AtomicReferenceArray<byte @Nullable []> images;
  private final AtomicLong left;

  /**
   * Creates an empty cache.
   *
   * @param size number of images
   * @param budget maximum number of bytes; 0 keeps nothing
   */
  ImageCache(int size, long budget) {
    this.images = new AtomicReferenceArray<>(budget > 0 ? size : 0);
    this.left = new AtomicLong(budget);
  }

  /** Returns the default budget: half of the JVM's maximum heap. */
  static long halfOfHeap() {
    return Runtime.getRuntime().maxMemory() / 2;
  }

  /** Returns the image, decoding it if it is not cached; must not be modified by the caller. */
  byte[] get(int index, IntFunction<byte[]> decoder) {
    byte[] kept = index < images.length() ? images.get(index) : null;
    if (kept != null) {
      return kept;
    }
    byte[] decoded = decoder.apply(index);
    if (index < images.length() && left.get() >= decoded.length) {
      // Two threads may pass the check concurrently: an image or two over the budget is harmless.
      if (images.compareAndSet(index, null, decoded)) {
        left.addAndGet(-decoded.length);
      }
    }
    return decoded;
  }
}
