package org.relaydiffusion.metrics.extraction;

import java.util.stream.IntStream;

/**
 * A data set cut into chunks, each of which becomes a part on the disk. Which process makes which
 * does not depend on what is there already: processes that start at different times agree.
 *
 * @param images N, at least 1
 * @param size of every chunk but the last, which may be shorter
 */
record Chunks(int images, int size) {
  /** How many there are. */
  int count() {
    return Math.ceilDiv(images, size);
  }

  /** The first image of a chunk. */
  int first(int chunk) {
    return chunk * size;
  }

  /** The number of images in a chunk. */
  int length(int chunk) {
    return Math.min(size, images - first(chunk));
  }

  /** The chunks of a process, in order. */
  IntStream sharedBy(ExtractionOptions.Share share) {
    return IntStream.range(0, count()).filter(c -> c % share.processes() == share.rank());
  }
}
