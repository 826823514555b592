// SPDX-License-Identifier: Apache-2.0
/**
 * Finds LibTorch (bundled, or selected by the user), loads it in a fixed order, and reports on the
 * environment.
 */
@NullMarked
package org.relaydiffusion.nativeconfig;

import org.jspecify.annotations.NullMarked;
