// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

/**
 * Receives the progress of a long computation. It should return quickly; an exception ends the
 * computation.
 */
@FunctionalInterface
public interface WorkListener {
  /** Ignores the progress. */
  WorkListener NONE = (_, _) -> {};

  /**
   * Called when some of the work is done. Calls do not overlap; if the work has several parts, the
   * progress starts again for each.
   *
   * @param done finished work, in arbitrary units
   * @param total total work, in the same units
   */
  void advanced(long done, long total);
}
