// SPDX-License-Identifier: Apache-2.0
/**
 * What changes parameters between backward passes: optimizers (SGD, Adam, AdamW), operations on
 * gradients, and the exponential moving average of weights.
 */
@NullMarked
package org.relaydiffusion.torch.optim;

import org.jspecify.annotations.NullMarked;
