// SPDX-License-Identifier: Apache-2.0
/** Evaluation metrics: FID, sFID, Inception Score, precision and recall. */
@NullMarked
package org.relaydiffusion.metrics;

import org.jspecify.annotations.NullMarked;
