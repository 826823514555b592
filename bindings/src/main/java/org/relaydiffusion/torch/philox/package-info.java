// SPDX-License-Identifier: Apache-2.0
/**
 * What LibTorch's random kernels draw on a CUDA device, computed on the CPU: the counter-based
 * generator Philox4x32-10, the launch's assignment of its numbers to elements, and the Box-Muller
 * transforms.
 */
@NullMarked
package org.relaydiffusion.torch.philox;

import org.jspecify.annotations.NullMarked;
