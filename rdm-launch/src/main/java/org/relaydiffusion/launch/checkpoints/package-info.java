/** {@code rdm convert} and {@code rdm inspect}: checkpoint files. */
@NullMarked
package org.relaydiffusion.launch.checkpoints;

import org.jspecify.annotations.NullMarked;
