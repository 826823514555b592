package org.relaydiffusion.metrics.extraction;

import java.util.Optional;

/**
 * What a process has done.
 *
 * @param extracted how many images it extracted
 * @param reused how many of all images were in parts that were there when this process looked: of
 *     an earlier run, or of another process that was quicker
 * @param seconds how long it took until all parts were there, the file not yet written; opening the
 *     data is counted, loading the network is not
 * @param imagesPerSecond images that all processes extracted in that time (this one's for any but
 *     the first), a second; 0 where there were none
 * @param written the file, at the first process
 */
public record ExtractionResult(
    long extracted,
    long reused,
    double seconds,
    double imagesPerSecond,
    Optional<Written> written) {
  /**
   * What a file of features is of.
   *
   * @param images N
   * @param dimensions the length of an image's pool features
   * @param spatialDimensions the length of its spatial features
   */
  public record Written(long images, long dimensions, long spatialDimensions) {}
}
