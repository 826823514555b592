// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * The classes of a run's images.
 *
 * @param count number of classes of the networks; 0 if they are unconditional
 * @param chosen the requested classes
 */
record Labels(int count, ClassList chosen) {
  /** Returns the class of the image of {@code seed}. */
  OptionalInt of(long seed) {
    return count == 0 ? OptionalInt.empty() : OptionalInt.of(chosen.of(seed, count));
  }

  /**
   * Returns one-hot labels for a network, float32 [N, labelDim], or nothing for an unconditional
   * one.
   */
  @Nullable Tensor oneHot(long[] seeds, int labelDim, Device device) {
    if (labelDim == 0) {
      return null;
    }
    float[] rows = new float[seeds.length * labelDim];
    for (int i = 0; i < seeds.length; i++) {
      rows[i * labelDim + of(seeds[i]).orElseThrow()] = 1;
    }
    return Torch.tensor(rows, seeds.length, labelDim).to(device);
  }
}
