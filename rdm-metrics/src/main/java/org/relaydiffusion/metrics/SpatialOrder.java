package org.relaydiffusion.metrics;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;

/** In which order a row of spatial features has its 7 channels at 17 x 17 positions. */
public enum SpatialOrder {
  /** Channel by channel, (7, 17, 17): the reference's, and this project's everywhere. */
  CHANNELS_FIRST,
  /** Position by position, (17, 17, 7): that of ADM's files. */
  POSITIONS_FIRST;

  private static final long CHANNELS = 7;
  private static final long POSITIONS = 17 * 17;

  /**
   * Rows of this order as rows of {@link #CHANNELS_FIRST}.
   *
   * @param rows [n, D]; D is 2023 unless this is that order already
   * @return [n, D], of the innermost scope, or the caller's; it may share memory with {@code rows}
   * @throws RdmException when D is another
   */
  public Tensor toChannelsFirst(Tensor rows) {
    if (this == CHANNELS_FIRST) {
      return rows.reshape(rows.shape());
    }
    if (rows.rank() != 2 || rows.size(1) != InceptionFeatures.SPATIAL_DIM) {
      throw new RdmException(
          "spatial features of %s channels at %s positions are [n, %s], not %s"
              .formatted(CHANNELS, POSITIONS, InceptionFeatures.SPATIAL_DIM, rows.describe()));
    }
    long n = rows.size(0);
    try (Tensor grid = rows.reshape(n, POSITIONS, CHANNELS);
        Tensor turned = Shapes.transpose(grid, 1, 2)) {
      return turned.reshape(n, CHANNELS * POSITIONS);
    }
  }
}
