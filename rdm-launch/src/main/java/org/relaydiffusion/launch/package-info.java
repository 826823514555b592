/** The rdm command line: the command tree and the handling of its errors. */
@NullMarked
package org.relaydiffusion.launch;

import org.jspecify.annotations.NullMarked;
