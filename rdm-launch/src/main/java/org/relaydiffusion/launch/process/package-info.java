/**
 * {@code rdm launch}: how worker processes are started, watched, stopped and started again, and
 * what becomes of their output.
 */
@NullMarked
package org.relaydiffusion.launch.process;

import org.jspecify.annotations.NullMarked;
