// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.Iterator;

/**
 * The images of one request, sampled lazily: a batch is sampled when its first image is requested.
 * They can be iterated once. Between batches only finished images are held, so the iteration may
 * continue on another thread, but only on one at a time.
 */
public interface Samples extends Iterable<Sample>, AutoCloseable {
  /** Returns the total number of images of this process. */
  long size();

  /**
   * Returns an iterator over the images in the order of the seeds.
   *
   * @throws IllegalStateException if called a second time
   */
  @Override
  Iterator<Sample> iterator();

  /** Ends the iteration: no further batch is sampled. Closing twice has no effect. */
  @Override
  void close();
}
