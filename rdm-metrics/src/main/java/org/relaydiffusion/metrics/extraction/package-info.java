// SPDX-License-Identifier: Apache-2.0
/** Extraction of the features of images to a file, by one process or several. */
@NullMarked
package org.relaydiffusion.metrics.extraction;

import org.jspecify.annotations.NullMarked;
