// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.unet;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.layer.Layer;
import org.relaydiffusion.torch.Tensor;

/** F(x; c_noise, y): the raw network inside a preconditioner. */
public abstract class UNet extends Layer {
  /** Made by its subclasses. */
  protected UNet() {}

  /**
   * Runs the network.
   *
   * @param x scaled images [N, C, H, W] in the network's type
   * @param noise c_noise [N] or [1], float32
   * @param labels one-hot [N, labelDim] or [1, labelDim] float32, or none
   * @param augment augmentation labels [N, augmentDim] float32, or none
   * @return [N, outChannels, H, W] in x's type
   */
  public abstract Tensor forward(
      Tensor x, Tensor noise, @Nullable Tensor labels, @Nullable Tensor augment);
}
