// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.diffusion.loss.NoiseSource;
import org.relaydiffusion.diffusion.loss.TrainedDenoiser;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** Half of EDM's loss. */
public final class HalvedLoss implements Loss {
  @Override
  public String name() {
    return "halved";
  }

  @Override
  public Tensor of(
      TrainedDenoiser net,
      Tensor images,
      @Nullable Tensor labels,
      @Nullable AugmentPipe augment,
      NoiseSource random) {
    try (TensorScope scope = TensorScope.open()) {
      return scope.keep(new EdmLoss().of(net, images, labels, augment, random).mul(0.5));
    }
  }
}
