/** How far a run is, as lines on the terminal or in a log. */
@NullMarked
package org.relaydiffusion.launch.progress;

import org.jspecify.annotations.NullMarked;
