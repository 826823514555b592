package org.relaydiffusion.diffusion;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * The classes of a run's images: the one that was asked for, else seed mod the number of classes.
 *
 * @param count the number of classes; 0 where the networks know none
 * @param chosen the class of every image, if one was asked for
 */
record Labels(int count, OptionalInt chosen) {
  /** The class of the image of {@code seed}. */
  OptionalInt of(long seed) {
    if (count == 0) {
      return OptionalInt.empty();
    }
    return chosen.isPresent() ? chosen : OptionalInt.of(Math.floorMod(seed, count));
  }

  /** One-hot rows for a network: float32 [N, labelDim], or nothing for an unconditional one. */
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
