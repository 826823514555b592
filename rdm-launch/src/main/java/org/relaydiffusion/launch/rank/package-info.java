/** Which process of a run of several this one is. */
@NullMarked
package org.relaydiffusion.launch.rank;

import org.jspecify.annotations.NullMarked;
