// SPDX-License-Identifier: Apache-2.0
/** {@code rdm evaluate}: activation files, their metrics, and the report. */
@NullMarked
package org.relaydiffusion.launch.evaluation;

import org.jspecify.annotations.NullMarked;
