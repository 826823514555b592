// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Tensor;

/** The noise embedding as the blocks of a network take it. Its tensors stay their owners'. */
public final class NoiseEmbedding {
  private final Tensor rows;
  private final Map<UNetBlock, Modulation> modulations;

  NoiseEmbedding(Tensor rows, Map<UNetBlock, Modulation> modulations) {
    this.rows = rows;
    this.modulations = modulations;
  }

  /**
   * From its rows, of which each block makes its own.
   *
   * @param rows [N, embChannels] or [1, embChannels]
   */
  public static NoiseEmbedding of(Tensor rows) {
    return new NoiseEmbedding(rows, Map.of());
  }

  /** Its rows. */
  public Tensor rows() {
    return rows;
  }

  /** The same embedding with its rows at another place. */
  public NoiseEmbedding over(Tensor otherRows) {
    return new NoiseEmbedding(otherRows, modulations);
  }

  /** What was made for a block already. */
  @Nullable Modulation of(UNetBlock block) {
    return modulations.get(block);
  }
}
