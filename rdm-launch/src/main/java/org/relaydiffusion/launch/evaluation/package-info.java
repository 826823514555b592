/** Metrics of activation files, and what a report says of them. */
@NullMarked
package org.relaydiffusion.launch.evaluation;

import org.jspecify.annotations.NullMarked;
