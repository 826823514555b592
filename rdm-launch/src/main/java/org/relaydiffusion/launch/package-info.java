/** The rdm command line. */
@NullMarked
package org.relaydiffusion.launch;

import org.jspecify.annotations.NullMarked;
