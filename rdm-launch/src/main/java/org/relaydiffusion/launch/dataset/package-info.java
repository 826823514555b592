/** {@code rdm dataset}: images into the form that training reads. */
@NullMarked
package org.relaydiffusion.launch.dataset;

import org.jspecify.annotations.NullMarked;
