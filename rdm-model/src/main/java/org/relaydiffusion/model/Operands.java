// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Tensor;

/** What a network is asked to denoise. */
final class Operands {
  private Operands() {}

  /**
   * Checks their shapes; a network that has no use for labels ignores them.
   *
   * @throws ModelException naming the one that does not fit
   */
  static void check(
      ModelConfig config,
      Tensor x,
      Tensor sigma,
      @Nullable Tensor labels,
      @Nullable Tensor augment) {
    if (x.rank() != 4
        || x.size(1) != config.channels()
        || x.size(2) != config.resolution()
        || x.size(3) != config.resolution()) {
      throw new ModelException(
          "this network takes images [N, %s, %s, %s], not %s"
              .formatted(
                  config.channels(), config.resolution(), config.resolution(), x.describe()));
    }
    if (sigma.numel() != 1 && sigma.numel() != x.size(0)) {
      throw new ModelException(
          "%s images need 1 or %s noise levels, not %s"
              .formatted(x.size(0), x.size(0), sigma.describe()));
    }
    checkRows("labels", labels, config.labelDim(), x.size(0));
    checkRows("augmentation labels", augment, config.network().augmentDim(), x.size(0));
  }

  private static void checkRows(String what, @Nullable Tensor rows, int width, long images) {
    if (rows == null || width == 0) {
      return;
    }
    if (rows.rank() != 2
        || rows.size(1) != width
        || (rows.size(0) != 1 && rows.size(0) != images)) {
      throw new ModelException(
          "%s images need %s [%s, %s] or [1, %s], not %s"
              .formatted(images, what, images, width, width, rows.describe()));
    }
  }
}
