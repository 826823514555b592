// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;

/**
 * Iterates over all pairs of rows, as pairs of blocks of the two sets. As many blocks as the plan
 * allows (a panel) stay in memory while the other blocks pass by; this is repeated for each panel.
 */
final class BlockPairs {
  private final Plan plan;
  private final Workers workers;
  private final ProgressMeter meter;

  /**
   * How the work is split, which does not affect the result.
   *
   * @param blockRows number of rows of a block
   * @param panelRows number of rows that stay in memory
   */
  record Plan(int blockRows, long panelRows) {
    private static final int BLOCK_ROWS = 512;

    /** The maximum memory of the rows that stay, in float64 and float32 together. */
    private static final long PANEL_BYTES = 384L << 20;

    static Plan of(long dimensions) {
      return new Plan(BLOCK_ROWS, PANEL_BYTES / (12 * dimensions));
    }
  }

  /** Processes the pairs of two blocks. */
  @FunctionalInterface
  interface Visitor {
    /**
     * Processes each row of {@code a} with each row of {@code b}; called by several threads
     * concurrently.
     *
     * @param products of the rounded rows [a.count, b.count]
     */
    void visit(RowBlock a, RowBlock b, float[] products);
  }

  BlockPairs(Plan plan, Workers workers, ProgressMeter meter) {
    this.plan = plan;
    this.workers = workers;
    this.meter = meter;
  }

  /** Returns the amount of work of {@link #within}, in the units of the progress. */
  static long workWithin(long rows) {
    return rows * rows;
  }

  /** Returns the amount of work of {@link #between}, in the units of the progress. */
  static long workBetween(long a, long b) {
    return 2 * a * b;
  }

  /**
   * Visits every pair of blocks of one set once, and each block with itself: if {@code a.first}
   * equals {@code b.first}, each pair of rows occurs twice, and each row is also paired with
   * itself.
   */
  void within(Activations rows, Float32View view, Visitor visitor) {
    for (long skip = 0; skip < rows.count(); ) {
      try (BlockReader reader = new BlockReader(rows, view, plan.blockRows)) {
        reader.skip(skip, workers);
        try (BlockReader.Panel panel = reader.takePanel(plan.panelRows, workers)) {
          visitPanel(panel.blocks(), visitor);
          while (reader.hasNext()) {
            pass(panel.blocks(), reader, visitor);
          }
          skip += panel.rows();
        }
      }
    }
  }

  /** Visits every block of one set with every block of another. */
  void between(Activations a, Activations b, Float32View view, Visitor visitor) {
    try (BlockReader panels = new BlockReader(a, view, plan.blockRows)) {
      while (panels.hasNext()) {
        try (BlockReader.Panel panel = panels.takePanel(plan.panelRows, workers);
            BlockReader passing = new BlockReader(b, view, plan.blockRows)) {
          while (passing.hasNext()) {
            pass(panel.blocks(), passing, visitor);
          }
        }
      }
    }
  }

  private record Pair(RowBlock a, RowBlock b) {}

  /** Visits all pairs of blocks of the panel. */
  private void visitPanel(List<RowBlock> panel, Visitor visitor) {
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < panel.size(); i++) {
      for (int j = i; j < panel.size(); j++) {
        pairs.add(new Pair(panel.get(i), panel.get(j)));
      }
    }
    workers.run(pairs.size(), i -> visit(pairs.get(i).a, pairs.get(i).b, visitor), meter::advance);
  }

  /** Visits the next block of a pass with every block of the panel. */
  private void pass(List<RowBlock> panel, BlockReader passing, Visitor visitor) {
    try (RowBlock b = passing.take();
        Workers.Batch<Long> batch =
            workers.begin(panel.size(), i -> visit(panel.get(i), b, visitor))) {
      passing.readAhead();
      batch.await(meter::advance);
    }
  }

  @SuppressWarnings("ReferenceEquality") // Whether it is a block with itself.
  private static long visit(RowBlock a, RowBlock b, Visitor visitor) {
    Tensor products = LinearAlgebra.matmul(a.rounded(), Shapes.transpose(b.rounded(), 0, 1));
    visitor.visit(a, b, products.toFloats());
    long pairs = (long) a.count() * b.count();
    return a == b ? pairs : 2 * pairs;
  }
}
