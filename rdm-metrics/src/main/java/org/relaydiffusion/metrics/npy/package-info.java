/** NumPy's array files, read a block of rows at a time and never believed. */
@NullMarked
package org.relaydiffusion.metrics.npy;

import org.jspecify.annotations.NullMarked;
