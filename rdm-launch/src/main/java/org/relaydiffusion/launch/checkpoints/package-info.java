// SPDX-License-Identifier: Apache-2.0
/** The commands {@code rdm convert} and {@code rdm inspect} for checkpoint files. */
@NullMarked
package org.relaydiffusion.launch.checkpoints;

import org.jspecify.annotations.NullMarked;
