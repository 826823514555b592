// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import org.relaydiffusion.torch.Tensor;

/** Turns noise levels [N] into features [N, C]. */
public sealed interface TimeEmbedding permits PositionalEmbedding, FourierEmbedding {
  /** [N] float32 to [N, C]: cosines first, then sines. */
  Tensor forward(Tensor x);
}
