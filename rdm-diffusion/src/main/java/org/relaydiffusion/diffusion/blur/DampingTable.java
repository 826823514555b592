// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.diffusion.schedule.BlurSchedule;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The {@link Damping} at each noise level of a run, computed before the first step and copied to
 * the device of the images at once.
 */
public final class DampingTable {
  private final int patchSize;
  private final Map<Double, Tensor> tiles;

  private DampingTable(int patchSize, Map<Double, Tensor> tiles) {
    this.patchSize = patchSize;
    this.tiles = tiles;
  }

  /**
   * Computes the factors, which belong to the current scope.
   *
   * @param schedule the blur at each noise level
   * @param levels the noise levels, each at least 0; a level may occur more than once
   * @param patchSize s
   * @param device of the images
   */
  public static DampingTable of(
      BlurSchedule schedule, double[] levels, int patchSize, Device device) {
    double[] distinct = Arrays.stream(levels).distinct().toArray();
    Map<Double, Tensor> tiles = new LinkedHashMap<>();
    if (distinct.length > 0) {
      try (var scope = TensorScope.open()) {
        List<Tensor> each =
            Arrays.stream(distinct).mapToObj(t -> Damping.tile(schedule, t, patchSize)).toList();
        List<Tensor> there = Shapes.unbind(Torch.stack(each, 0).to(device), 0);
        for (int i = 0; i < distinct.length; i++) {
          tiles.put(distinct[i], scope.keep(there.get(i)));
        }
      }
    }
    return new DampingTable(patchSize, tiles);
  }

  /**
   * Returns the factors at one noise level, repeated over the image.
   *
   * @param t one of the levels
   * @param images [N, C, H, W]; s must divide H and W. Only its size is used
   * @return float32 [H, W], in the current scope
   * @throws IllegalArgumentException if the table does not have the level
   */
  public Tensor at(double t, Tensor images) {
    Patches.check(images, patchSize);
    Tensor tile = tiles.get(t);
    if (tile == null) {
      throw new IllegalArgumentException("the table has no noise level " + t);
    }
    return Shapes.repeat(tile, images.size(2) / patchSize, images.size(3) / patchSize);
  }
}
