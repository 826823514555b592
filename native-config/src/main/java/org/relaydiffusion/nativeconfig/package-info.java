/** Finds LibTorch (bundled, or yours), loads it in a known order, and says what was found. */
@NullMarked
package org.relaydiffusion.nativeconfig;

import org.jspecify.annotations.NullMarked;
