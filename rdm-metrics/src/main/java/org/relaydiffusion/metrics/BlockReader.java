// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Tensor;

/** A pass over activations in blocks, which reads the next block ahead. Not thread-safe. */
final class BlockReader implements AutoCloseable {
  private final Activations.Reader reader;
  private final Float32View view;
  private final int blockRows;
  private @Nullable RowBlock ahead;
  private long nextRow;

  /** Begins a pass at the first row. */
  BlockReader(Activations activations, Float32View view, int blockRows) {
    this.view = view;
    this.blockRows = blockRows;
    reader = activations.open();
  }

  /** Skips rows. */
  void skip(long rows, Workers workers) {
    while (nextRow < rows) {
      workers.check();
      try (Tensor block = reader.read(Math.min(blockRows, rows - nextRow))) {
        nextRow += block.size(0);
      }
    }
  }

  /** Returns whether there is a block that has not been taken. */
  boolean hasNext() {
    return ahead != null || reader.remainingRows() > 0;
  }

  /** Reads the next block, if there is one, while others process the last. */
  void readAhead() {
    if (ahead == null && reader.remainingRows() > 0) {
      ahead = RowBlock.of(read(), view);
    }
  }

  /** Returns the next block, which is then owned by the caller. */
  RowBlock take() {
    readAhead();
    RowBlock block = ahead;
    if (block == null) {
      throw new IllegalStateException("all blocks have been taken");
    }
    ahead = null;
    return block;
  }

  /**
   * Returns the next blocks, with at most {@code mostRows} rows in total, but at least one block.
   */
  Panel takePanel(long mostRows, Workers workers) {
    List<PlainRows> plain = new ArrayList<>();
    Panel panel = new Panel(new ArrayList<>());
    try {
      if (ahead != null) {
        panel.blocks.add(take());
      }
      long rows = panel.rows();
      while (reader.remainingRows() > 0 && (rows == 0 || rows + blockRows <= mostRows)) {
        workers.check();
        PlainRows block = read();
        plain.add(block);
        rows += block.count();
      }
      workers.run(plain.size(), i -> RowBlock.of(plain.get(i), view), panel.blocks::add);
      return panel;
    } catch (RuntimeException e) {
      panel.close();
      throw e;
    }
  }

  private PlainRows read() {
    PlainRows rows = PlainRows.read(reader, nextRow, blockRows);
    nextRow += rows.count();
    return rows;
  }

  @Override
  public void close() {
    if (ahead != null) {
      ahead.close();
    }
    reader.close();
  }

  /**
   * Blocks that stay in memory while others pass by.
   *
   * @param blocks owned by this object
   */
  record Panel(List<RowBlock> blocks) implements AutoCloseable {
    long rows() {
      return blocks.stream().mapToLong(RowBlock::count).sum();
    }

    @Override
    public void close() {
      blocks.forEach(RowBlock::close);
    }
  }
}
