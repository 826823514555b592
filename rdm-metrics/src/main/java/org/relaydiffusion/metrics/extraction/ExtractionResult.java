// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.util.Optional;

/**
 * The result of a process.
 *
 * @param extracted number of images extracted by this process
 * @param reused number of images, of all, whose parts already existed: from an earlier run, or from
 *     a faster process
 * @param seconds duration until all parts existed, before the file is written; includes opening the
 *     data, but not loading the network
 * @param imagesPerSecond images extracted per second in that time by all processes (in processes
 *     other than the first: by this one); 0 if there were none
 * @param written the file, in the first process
 */
public record ExtractionResult(
    long extracted,
    long reused,
    double seconds,
    double imagesPerSecond,
    Optional<Written> written) {
  /**
   * The content of a file of features.
   *
   * @param images N
   * @param dimensions number of pool features per image
   * @param spatialDimensions number of spatial features per image
   */
  public record Written(long images, long dimensions, long spatialDimensions) {}
}
