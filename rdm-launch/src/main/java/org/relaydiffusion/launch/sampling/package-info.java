/** {@code rdm generate} and its relatives: from their options to images and a summary. */
@NullMarked
package org.relaydiffusion.launch.sampling;

import org.jspecify.annotations.NullMarked;
