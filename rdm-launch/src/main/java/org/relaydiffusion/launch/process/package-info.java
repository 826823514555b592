// SPDX-License-Identifier: Apache-2.0
/**
 * {@code rdm launch}: starts, monitors, stops and restarts worker processes, and forwards their
 * output.
 */
@NullMarked
package org.relaydiffusion.launch.process;

import org.jspecify.annotations.NullMarked;
