package org.relaydiffusion.diffusion.data;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Decoded pictures in the order of their first use, as many as fit a budget of bytes; those after
 * them are decoded every time. May be used by several threads at once.
 */
final class ImageCache {
  private final AtomicReferenceArray<byte @Nullable []> images;
  private final AtomicLong left;

  /**
   * Creates an empty cache.
   *
   * @param size how many pictures there are
   * @param budget how many bytes may be kept; 0 keeps nothing
   */
  ImageCache(int size, long budget) {
    this.images = new AtomicReferenceArray<>(budget > 0 ? size : 0);
    this.left = new AtomicLong(budget);
  }

  /** The budget of a cache that is wanted: half of what the JVM's heap may grow to. */
  static long halfOfHeap() {
    return Runtime.getRuntime().maxMemory() / 2;
  }

  /** The picture, decoded now if it is not kept; not to be changed by the caller. */
  byte[] get(int index, IntFunction<byte[]> decoder) {
    byte[] kept = index < images.length() ? images.get(index) : null;
    if (kept != null) {
      return kept;
    }
    byte[] decoded = decoder.apply(index);
    if (index < images.length() && left.get() >= decoded.length) {
      // Two threads may pass the test at once: a picture or two over the budget does no harm.
      if (images.compareAndSet(index, null, decoded)) {
        left.addAndGet(-decoded.length);
      }
    }
    return decoded;
  }
}
