// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;

/**
 * Activations in memory.
 *
 * @param name the name used in messages
 * @param rows float32 or float64 [N, D]; owned by the caller
 */
record TensorActivations(String name, Tensor rows) implements Activations {
  @Override
  public long count() {
    return rows.size(0);
  }

  @Override
  public long dimensions() {
    return rows.size(1);
  }

  @Override
  public Reader open() {
    return new Pass();
  }

  /** One pass, whose blocks are views. */
  private final class Pass implements Reader {
    private long next;

    @Override
    public long remainingRows() {
      return count() - next;
    }

    @Override
    public Tensor read(long most) {
      if (most < 1) {
        throw new IllegalArgumentException(
            "the number of rows to read must be at least 1, but is " + most);
      }
      long part = Math.min(most, remainingRows());
      Tensor block = Shapes.narrow(rows, 0, next, part);
      next += part;
      return block;
    }

    @Override
    public void close() {
      // Nothing to close: the rows are owned by the caller.
    }
  }
}
