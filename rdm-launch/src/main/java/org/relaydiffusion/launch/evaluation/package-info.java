/** {@code rdm evaluate}: activation files, their metrics, and the report. */
@NullMarked
package org.relaydiffusion.launch.evaluation;

import org.jspecify.annotations.NullMarked;
