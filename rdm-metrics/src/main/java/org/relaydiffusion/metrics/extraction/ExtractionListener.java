package org.relaydiffusion.metrics.extraction;

/**
 * Hears how far an extraction is. All calls come from the thread that extracts; what they throw
 * ends the work.
 */
public interface ExtractionListener {
  /** Listens to nothing. */
  ExtractionListener NONE = new ExtractionListener() {};

  /**
   * Extraction begins, or a batch is done.
   *
   * @param done how many images this process has extracted, 0 at first
   * @param total how many it has to: its share, less what was there
   */
  default void extracted(long done, long total) {}

  /** A part is on the disk: of the images extracted, {@code images} need not be extracted again. */
  default void saved(long images) {}

  /**
   * The first process waits for the others; comes several times a second.
   *
   * @param parts how many are there
   * @param total how many there will be
   */
  default void waiting(long parts, long total) {}

  /**
   * Parts are being joined.
   *
   * @param done how far, in units of its own
   * @param total how much there is in all
   */
  default void joined(long done, long total) {}
}
