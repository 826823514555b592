// SPDX-License-Identifier: Apache-2.0
/**
 * Several processes on one model: stores where they meet, groups in which they exchange tensors,
 * and data-parallel training. Needs the bundled LibTorch.
 */
@NullMarked
package org.relaydiffusion.torch.distributed;

import org.jspecify.annotations.NullMarked;
