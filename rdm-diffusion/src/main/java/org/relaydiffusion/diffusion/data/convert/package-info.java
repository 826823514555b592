/**
 * The data set tool: pictures from folders, archives or a procedural generator, brought to one size
 * and written as the folder or zip that training reads.
 */
@NullMarked
package org.relaydiffusion.diffusion.data.convert;

import org.jspecify.annotations.NullMarked;
