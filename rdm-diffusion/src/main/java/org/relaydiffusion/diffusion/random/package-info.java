/** Seeds, and the random streams of NumPy that decide the order of training data. */
@NullMarked
package org.relaydiffusion.diffusion.random;

import org.jspecify.annotations.NullMarked;
