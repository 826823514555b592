/** From a data set's pictures to a file of their features, by one process or several. */
@NullMarked
package org.relaydiffusion.metrics.extraction;

import org.jspecify.annotations.NullMarked;
