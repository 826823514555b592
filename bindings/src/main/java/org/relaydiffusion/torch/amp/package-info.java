// SPDX-License-Identifier: Apache-2.0
/** Mixed precision: losses scaled so that gradients keep their small digits. */
@NullMarked
package org.relaydiffusion.torch.amp;

import org.jspecify.annotations.NullMarked;
