// SPDX-License-Identifier: Apache-2.0
/** The progress of a run, on the terminal or in a log. */
@NullMarked
package org.relaydiffusion.launch.progress;

import org.jspecify.annotations.NullMarked;
