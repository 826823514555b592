// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;

/** The order of the 7 channels and 17 x 17 positions in a row of spatial features. */
public enum SpatialOrder {
  /** Channel by channel, (7, 17, 17): the reference's order, used throughout this project. */
  CHANNELS_FIRST,
  /** Position by position, (17, 17, 7): the order of ADM's files. */
  POSITIONS_FIRST;

  private static final long CHANNELS = 7;
  private static final long POSITIONS = 17 * 17;

  /**
   * Converts rows in this order to {@link #CHANNELS_FIRST}.
   *
   * @param rows [n, D]; D must be 2023 unless no conversion is needed
   * @return [n, D], in the innermost scope, or owned by the caller; may share memory with {@code
   *     rows}
   * @throws RdmException if D is different
   */
  public Tensor toChannelsFirst(Tensor rows) {
    if (this == CHANNELS_FIRST) {
      return rows.reshape(rows.shape());
    }
    if (rows.rank() != 2 || rows.size(1) != InceptionFeatures.SPATIAL_DIM) {
      throw new RdmException(
          "spatial features of %s channels at %s positions must be [n, %s], but found %s"
              .formatted(CHANNELS, POSITIONS, InceptionFeatures.SPATIAL_DIM, rows.describe()));
    }
    long n = rows.size(0);
    try (Tensor grid = rows.reshape(n, POSITIONS, CHANNELS);
        Tensor turned = Shapes.transpose(grid, 1, 2)) {
      return turned.reshape(n, CHANNELS * POSITIONS);
    }
  }
}
