// SPDX-License-Identifier: Apache-2.0
/**
 * Several processes on one model: stores where they meet, groups in which they exchange tensors,
 * and data-parallel training. Groups over Gloo need the bundled LibTorch; stores, and groups over
 * NCCL, do not.
 */
@NullMarked
package org.relaydiffusion.torch.distributed;

import org.jspecify.annotations.NullMarked;
