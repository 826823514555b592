/** Reads zip archives: of pictures, of a checkpoint's tensors, of numpy's arrays. */
@NullMarked
package org.relaydiffusion.io.zip;

import org.jspecify.annotations.NullMarked;
