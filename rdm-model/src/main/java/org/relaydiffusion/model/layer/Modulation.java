// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Tensor;

/**
 * What one block makes of the noise embedding, in the type of the activations.
 *
 * @param scale [N, C] of the normalisation between the block's convolutions, its weight contained;
 *     none for a block that only shifts
 * @param shift [N, C] after it, its bias contained; or before it, with the bias of the convolution
 *     there
 */
record Modulation(@Nullable Tensor scale, Tensor shift) {}
