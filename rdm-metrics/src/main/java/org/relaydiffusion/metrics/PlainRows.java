// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.relaydiffusion.torch.Tensor;

/**
 * Rows as they were read.
 *
 * @param first the index of the first one in its source
 * @param count number of rows
 * @param values float64, concatenated
 */
record PlainRows(long first, int count, double[] values) {
  /** 64 MiB, twice: the block being processed, and the next one being read. */
  private static final long MOST_VALUES = 1L << 23;

  /** Reads the next rows, at most {@code most}, the first of which has index {@code first}. */
  static PlainRows read(Activations.Reader reader, long first, long most) {
    try (Tensor rows = reader.read(most)) {
      return new PlainRows(first, (int) rows.size(0), rows.toDoubles());
    }
  }

  /** Returns the length of a row. */
  int dimensions() {
    return values.length / count;
  }

  /**
   * Processes all rows of a set in blocks on several threads. The calling thread reads the next
   * blocks meanwhile, because the source may be confined to it, and then receives the results in
   * order.
   *
   * @param blockRows number of rows of a block; the last one may be shorter
   */
  static <T> void forEach(
      Activations activations,
      int blockRows,
      Workers workers,
      Function<PlainRows, T> task,
      Consumer<T> taker) {
    try (Activations.Reader reader = activations.open()) {
      List<PlainRows> next = readSome(reader, 0, blockRows, workers);
      while (!next.isEmpty()) {
        List<PlainRows> blocks = next;
        try (Workers.Batch<T> batch =
            workers.begin(blocks.size(), i -> task.apply(blocks.get(i)))) {
          next = readSome(reader, blocks.getLast().end(), blockRows, workers);
          batch.await(taker);
        }
      }
    }
  }

  /** Two blocks per thread, if the heap is large enough. */
  private static List<PlainRows> readSome(
      Activations.Reader reader, long first, int blockRows, Workers workers) {
    List<PlainRows> blocks = new ArrayList<>();
    long at = first;
    long values = 0;
    while (blocks.size() < 2 * workers.count()
        && (blocks.isEmpty() || values < MOST_VALUES)
        && reader.remainingRows() > 0) {
      workers.check();
      PlainRows block = read(reader, at, blockRows);
      blocks.add(block);
      at = block.end();
      values += block.values.length;
    }
    return blocks;
  }

  private long end() {
    return first + count;
  }
}
