/** Mixed precision: losses scaled so that gradients keep their small digits. */
@NullMarked
package org.relaydiffusion.torch.amp;

import org.jspecify.annotations.NullMarked;
