package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Tensor;

/** A pass over activations, a block at a time, with the next block read ahead. For one thread. */
final class BlockReader implements AutoCloseable {
  private final Activations.Reader reader;
  private final Viewpoint view;
  private final int blockRows;
  private @Nullable RowBlock ahead;
  private long nextRow;

  /** A pass that starts at the first row. */
  BlockReader(Activations activations, Viewpoint view, int blockRows) {
    this.view = view;
    this.blockRows = blockRows;
    reader = activations.open();
  }

  /** Passes over rows without looking at them. */
  void skip(long rows) {
    while (nextRow < rows) {
      try (Tensor block = reader.read(Math.min(blockRows, rows - nextRow))) {
        nextRow += block.size(0);
      }
    }
  }

  /** Whether there is a block that has not been taken. */
  boolean hasNext() {
    return ahead != null || reader.remainingRows() > 0;
  }

  /** Reads the next block, if there is one, while others work on the last. */
  void readAhead() {
    if (ahead == null && reader.remainingRows() > 0) {
      double[] rows;
      try (Tensor block = reader.read(blockRows)) {
        rows = block.toDoubles();
      }
      ahead = RowBlock.of(nextRow, rows, view);
      nextRow += ahead.count();
    }
  }

  /** The next block, which is now the caller's. */
  RowBlock take() {
    readAhead();
    RowBlock block = ahead;
    if (block == null) {
      throw new IllegalStateException("all blocks have been taken");
    }
    ahead = null;
    return block;
  }

  /** The next blocks, of {@code mostRows} rows or fewer together, but one in any case. */
  Panel takePanel(long mostRows) {
    List<RowBlock> blocks = new ArrayList<>();
    Panel panel = new Panel(blocks);
    try {
      long rows = 0;
      while (hasNext() && (blocks.isEmpty() || rows + blockRows <= mostRows)) {
        RowBlock block = take();
        blocks.add(block);
        rows += block.count();
      }
      return panel;
    } catch (RuntimeException e) {
      panel.close();
      throw e;
    }
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
   * @param blocks owned
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
