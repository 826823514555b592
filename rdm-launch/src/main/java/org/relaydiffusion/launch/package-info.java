/** The rdm command line: all commands under one name, and what becomes of their errors. */
@NullMarked
package org.relaydiffusion.launch;

import org.jspecify.annotations.NullMarked;
