// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.Iterator;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

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

  /**
   * Returns the images in the order of the seeds as a sequential stream, sampled as they are
   * consumed; closing it closes this.
   *
   * @throws IllegalStateException if the images are already iterated over
   */
  default Stream<Sample> stream() {
    int traits = Spliterator.ORDERED | Spliterator.NONNULL;
    return StreamSupport.stream(Spliterators.spliterator(iterator(), size(), traits), false)
        .onClose(this::close);
  }

  /** Ends the iteration: no further batch is sampled. Closing twice has no effect. */
  @Override
  void close();
}
