/**
 * The worker processes of {@code rdm launch}: how they are started, watched, stopped and started
 * again, and what becomes of their output.
 */
@NullMarked
package org.relaydiffusion.launch.process;

import org.jspecify.annotations.NullMarked;
