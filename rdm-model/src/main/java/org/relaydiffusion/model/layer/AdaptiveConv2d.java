// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.relaydiffusion.torch.PackedConv2d;
import org.relaydiffusion.torch.Tensor;

/**
 * A packed convolution that follows the number of images that come. oneDNN chooses a weight's
 * layout by it, and rearranges a weight that lies otherwise at every call, in a loop that is slower
 * than the convolution itself. The results do not depend on the layout. Safe to use from several
 * threads.
 */
final class AdaptiveConv2d implements AutoCloseable {
  private static final int NONE = -1;

  /** Who convolves holds it for reading, who repacks for writing. */
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  private PackedConv2d packed;
  private volatile int batch;
  private volatile boolean used;

  /** Another number of images, which came last; repacking waits until it comes again. */
  private volatile int wanted = NONE;

  /**
   * Takes the convolution over.
   *
   * @param packed for any number of images
   */
  AdaptiveConv2d(PackedConv2d packed) {
    this.packed = packed;
    this.batch = packed.geometry().batch();
  }

  /** [N, in, H, W] in channels-last order to [N, out, H', W']. */
  Tensor apply(Tensor x) {
    int images = Math.toIntExact(x.size(0));
    if (images < 1) {
      // No weight is arranged for an empty batch, which any layout fits.
      return convolved(x);
    }
    if (images == batch) {
      wanted = NONE;
    } else if (!used || wanted == images) {
      repack(images);
    } else {
      // One smaller batch at the end, or threads with batches of their own, are not worth it.
      wanted = images;
    }
    used = true;
    return convolved(x);
  }

  private Tensor convolved(Tensor x) {
    lock.readLock().lock();
    try {
      return packed.apply(x);
    } finally {
      lock.readLock().unlock();
    }
  }

  private void repack(int images) {
    lock.writeLock().lock();
    try {
      if (images == batch) {
        return; // Another thread has repacked meanwhile.
      }
      PackedConv2d old = packed;
      packed = old.repack(images); // Where it fails, the old one stays in use.
      batch = images;
      wanted = NONE;
      old.close();
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public void close() {
    packed.close();
  }
}
