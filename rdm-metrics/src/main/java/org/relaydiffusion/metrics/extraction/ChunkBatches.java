// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** Splits the images of chunks into batches; no batch contains images of two chunks. */
final class ChunkBatches implements Iterator<int[]> {
  private final Chunks chunks;
  private final int[] chosen;
  private final int batch;
  private int at;
  private int inside;

  /**
   * Creates the batches of chunks.
   *
   * @param chosen the chunks, in order
   * @param batch the maximum batch size
   */
  ChunkBatches(Chunks chunks, int[] chosen, int batch) {
    this.chunks = chunks;
    this.chosen = chosen;
    this.batch = batch;
  }

  @Override
  public boolean hasNext() {
    return at < chosen.length;
  }

  @Override
  public int[] next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    int length = chunks.length(chosen[at]);
    int[] images = new int[Math.min(batch, length - inside)];
    int first = chunks.first(chosen[at]) + inside;
    Arrays.setAll(images, i -> first + i);
    inside += images.length;
    if (inside == length) {
      at++;
      inside = 0;
    }
    return images;
  }
}
