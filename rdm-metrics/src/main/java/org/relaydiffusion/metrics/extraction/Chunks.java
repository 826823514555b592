// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.util.stream.IntStream;

/**
 * A data set split into chunks, each of which becomes a part on disk. The assignment to processes
 * does not depend on existing parts, so that processes that start at different times agree.
 *
 * @param images N, at least 1
 * @param size of every chunk except the last, which may be smaller
 */
record Chunks(int images, int size) {
  /** Returns the number of chunks. */
  int count() {
    return Math.ceilDiv(images, size);
  }

  /** Returns the first image of a chunk. */
  int first(int chunk) {
    return chunk * size;
  }

  /** Returns the number of images in a chunk. */
  int length(int chunk) {
    return Math.min(size, images - first(chunk));
  }

  /** Returns the chunks of a process, in order. */
  IntStream sharedBy(ExtractionOptions.Share share) {
    return IntStream.range(0, count()).filter(c -> c % share.processes() == share.rank());
  }
}
