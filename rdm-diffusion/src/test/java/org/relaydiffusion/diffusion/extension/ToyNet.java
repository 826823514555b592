// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.extension;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.layer.Conv2d;
import org.relaydiffusion.model.layer.Linear;
import org.relaydiffusion.model.layer.PositionalEmbedding;
import org.relaydiffusion.model.layer.WeightInit;
import org.relaydiffusion.model.unet.NetworkConfig;
import org.relaydiffusion.model.unet.UNet;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** Two convolutions; the noise level shifts what lies between them. */
final class ToyNet extends UNet {
  private final Conv2d entry;
  private final PositionalEmbedding features;
  private final Linear shift;
  private final Conv2d exit;

  ToyNet(NetworkConfig config) {
    int width = config.settings().whole("width");
    int side = config.resolution();
    WeightInit init = WeightInit.DEFAULT;
    entry =
        child("entry", new Conv2d(Conv2d.Config.plain(config.inChannels(), width, 3, side, init)));
    features =
        child("features", new PositionalEmbedding(width, PositionalEmbedding.Endpoint.EXCLUDED));
    shift = child("shift", Linear.of(width, width, init));
    exit =
        child("exit", new Conv2d(Conv2d.Config.plain(width, config.outChannels(), 3, side, init)));
  }

  @Override
  public Tensor forward(Tensor x, Tensor noise, @Nullable Tensor labels, @Nullable Tensor augment) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor s = shift.forward(features.forward(noise)).to(x.dtype());
      Tensor h = entry.forward(x).add(s.reshape(s.size(0), -1, 1, 1)).silu();
      return observed(scope.keep(exit.forward(h)));
    }
  }
}
