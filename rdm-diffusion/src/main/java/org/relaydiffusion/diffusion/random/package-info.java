// SPDX-License-Identifier: Apache-2.0
/** Seeds, and NumPy's random numbers, which determine the order of training data. */
@NullMarked
package org.relaydiffusion.diffusion.random;

import org.jspecify.annotations.NullMarked;
