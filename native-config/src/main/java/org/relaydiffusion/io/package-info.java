/** Files as everything above reads and writes them: mapped and checked, whole or not at all. */
@NullMarked
package org.relaydiffusion.io;

import org.jspecify.annotations.NullMarked;
