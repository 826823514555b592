/** A sampling run of the command line: from its options to files and a summary. */
@NullMarked
package org.relaydiffusion.launch.sampling;

import org.jspecify.annotations.NullMarked;
