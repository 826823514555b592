// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.relaydiffusion.CancelledException;

/**
 * Performs work that an interrupt of its thread must not abort, such as saving the state after the
 * interrupt has stopped the run. The interrupt status of the thread is set again afterwards.
 */
final class Uninterrupted {
  private Uninterrupted() {}

  /**
   * Performs the work, and once more from its beginning if an interrupt has aborted it.
   *
   * @param work that may be repeated
   */
  static void run(Runnable work) {
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try {
          work.run();
          return;
        } catch (CancelledException e) {
          if (!Thread.interrupted()) {
            throw e;
          }
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Waits for a result.
   *
   * @throws ExecutionException as {@link Future#get()}
   */
  static <T> T get(Future<T> future) throws ExecutionException {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
