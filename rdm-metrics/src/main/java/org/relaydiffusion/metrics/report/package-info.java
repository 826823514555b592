// SPDX-License-Identifier: Apache-2.0
/** An evaluation as one self-contained HTML page. */
@NullMarked
package org.relaydiffusion.metrics.report;

import org.jspecify.annotations.NullMarked;
