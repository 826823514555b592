// SPDX-License-Identifier: Apache-2.0
/** What changes parameters between backward passes: Adam, gradient clean-up, moving averages. */
@NullMarked
package org.relaydiffusion.torch.optim;

import org.jspecify.annotations.NullMarked;
