package org.relaydiffusion.metrics;

import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;

/**
 * Activations in memory.
 *
 * @param name what messages call them
 * @param rows float32 or float64 [N, D]; the caller's
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

  /** One pass; its blocks are views. */
  private final class Pass implements Reader {
    private long next;

    @Override
    public long remainingRows() {
      return count() - next;
    }

    @Override
    public Tensor read(long most) {
      if (most < 1) {
        throw new IllegalArgumentException("rows are read 1 or more at a time, not " + most);
      }
      long part = Math.min(most, remainingRows());
      Tensor block = Shapes.narrow(rows, 0, next, part);
      next += part;
      return block;
    }

    @Override
    public void close() {
      // Nothing is held: the rows are the caller's.
    }
  }
}
