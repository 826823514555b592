/** {@code rdm evaluate}: activation files, metrics of them, and the report. */
@NullMarked
package org.relaydiffusion.launch.evaluation;

import org.jspecify.annotations.NullMarked;
