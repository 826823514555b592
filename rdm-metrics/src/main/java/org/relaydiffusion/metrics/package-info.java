/** Evaluation: Frechet distance and its kin. */
@NullMarked
package org.relaydiffusion.metrics;

import org.jspecify.annotations.NullMarked;
