package org.relaydiffusion.diffusion;

import java.util.Iterator;

/**
 * The pictures of one request, made as they are asked for: a batch is sampled when its first
 * picture is. They can be walked once. Between batches nothing is held but finished pictures, so
 * any one thread at a time may go on walking.
 */
public interface Samples extends Iterable<Sample>, AutoCloseable {
  /** How many pictures this process makes in all. */
  long size();

  /**
   * The pictures in the order of the seeds.
   *
   * @throws IllegalStateException when called a second time
   */
  @Override
  Iterator<Sample> iterator();

  /** Ends the walk: no further batch is begun. Closing twice is allowed. */
  @Override
  void close();
}
