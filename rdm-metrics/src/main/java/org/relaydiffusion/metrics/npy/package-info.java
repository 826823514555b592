// SPDX-License-Identifier: Apache-2.0
/** NumPy's array files, read in blocks of rows and treated as untrusted. */
@NullMarked
package org.relaydiffusion.metrics.npy;

import org.jspecify.annotations.NullMarked;
