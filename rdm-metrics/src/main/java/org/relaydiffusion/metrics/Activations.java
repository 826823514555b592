package org.relaydiffusion.metrics;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/**
 * The activations of a set of images, [N, D], that metrics read from the first row to the last, as
 * often as they need and a block at a time: they may be larger than memory.
 */
public interface Activations {
  /** N, the number of images. */
  long count();

  /** D, the length of one image's activations; at least 1. */
  long dimensions();

  /** What messages call them: a file and its array, or where they come from. */
  String name();

  /**
   * Begins a pass at the first row; the caller closes it. Any number may be open at once, each used
   * by one thread at a time.
   *
   * @throws RdmException when they cannot be read
   */
  Reader open();

  /** One pass over the rows. */
  interface Reader extends AutoCloseable {
    /** The number of rows that have not been read yet. */
    long remainingRows();

    /**
     * Reads the next rows.
     *
     * @param most how many, 1 or more; fewer come when fewer are left
     * @return float32 or float64 [n, D] on the CPU; it belongs to the innermost scope, or to the
     *     caller
     * @throws RdmException naming the source when it is damaged or ends early
     */
    Tensor read(long most);

    @Override
    void close();
  }

  /**
   * Rows in memory.
   *
   * @param name what messages call them
   * @param rows float32 or float64 [N, D] on the CPU, D at least 1; stays the caller's, who keeps
   *     it open while the result is used
   * @throws RdmException when it is of another type or shape
   */
  static Activations of(String name, Tensor rows) {
    boolean fits =
        rows.rank() == 2
            && rows.size(1) > 0
            && (rows.dtype() == DType.FLOAT32 || rows.dtype() == DType.FLOAT64);
    if (!fits) {
      throw new RdmException(
          "%s: activations must be float32 or float64 [N, D], not %s"
              .formatted(name, rows.describe()));
    }
    return new TensorActivations(name, rows);
  }
}
