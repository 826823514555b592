// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Lets any number of threads use a network's values until one of them closes it: closing waits for
 * those that use them, and is final.
 */
public final class UseLock {
  /** Whoever uses it holds it for reading, closing for writing. */
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  private boolean closed;

  /** An open one. */
  public UseLock() {}

  /**
   * Does some work that needs the values. The work may call this method again.
   *
   * @throws ModelException when the network is closed
   */
  public <T> T whileOpen(Supplier<T> work) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new ModelException("this network is closed");
      }
      return work.get();
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * Waits for the threads that use the values, then frees them. May be called more than once;
   * {@code free} then runs again.
   *
   * @throws IllegalStateException when called from inside {@link #whileOpen}
   */
  public void close(Runnable free) {
    if (lock.getReadHoldCount() > 0) {
      throw new IllegalStateException("a network cannot be closed from inside its own evaluation");
    }
    lock.writeLock().lock();
    try {
      closed = true;
      free.run();
    } finally {
      lock.writeLock().unlock();
    }
  }
}
