/** 8-bit pictures: from tensors to pixels, enhancement, PNG files, contact sheets. */
@NullMarked
package org.relaydiffusion.diffusion.image;

import org.jspecify.annotations.NullMarked;
