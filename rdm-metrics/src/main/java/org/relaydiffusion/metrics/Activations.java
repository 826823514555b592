// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/**
 * The activations of a set of images, [N, D]. Metrics read them sequentially in blocks, as often as
 * necessary, so they may be larger than memory.
 */
public interface Activations {
  /** Returns N, the number of images. */
  long count();

  /** Returns D, the number of activations per image; at least 1. */
  long dimensions();

  /** Returns the name used in messages: a file and its array, or the source. */
  String name();

  /**
   * Begins a pass at the first row. Any number of passes may be open concurrently, each used by one
   * thread at a time.
   *
   * @return the pass, which the caller closes
   * @throws RdmException if the activations cannot be read
   */
  Reader open();

  /** One pass over the rows. */
  interface Reader extends AutoCloseable {
    /** Returns the number of rows that have not been read yet. */
    long remainingRows();

    /**
     * Reads the next rows.
     *
     * @param most maximum number of rows, at least 1; fewer are returned if fewer are left
     * @return float32 or float64 [n, D] on the CPU, owned by the innermost scope, or by the caller
     *     if there is none
     * @throws RdmException naming the source, if it is damaged or ends early
     */
    Tensor read(long most);

    @Override
    void close();
  }

  /**
   * Returns activations in memory.
   *
   * @param name the name used in messages
   * @param rows float32 or float64 [N, D] on the CPU, with D at least 1; remains owned by the
   *     caller, who keeps it open while the result is used
   * @throws RdmException if the dtype or shape is different
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
