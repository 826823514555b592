// SPDX-License-Identifier: Apache-2.0
/** Inception-v3 as published on 2015-12-05, whose features the metrics compare. */
@NullMarked
package org.relaydiffusion.metrics.inception;

import org.jspecify.annotations.NullMarked;
