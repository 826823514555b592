package org.relaydiffusion.metrics;

/** Hears how far a long computation is. It should return quickly; what it throws ends the work. */
@FunctionalInterface
public interface WorkListener {
  /** Listens to nothing. */
  WorkListener NONE = (_, _) -> {};

  /**
   * Some of the work is done. Calls do not overlap; where the work has parts, each begins anew.
   *
   * @param done how much, in units of the computation's own
   * @param total how much there is in all, in the same units
   */
  void advanced(long done, long total);
}
