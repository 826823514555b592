// SPDX-License-Identifier: Apache-2.0
/** {@code rdm dataset}: converts images to a training set. */
@NullMarked
package org.relaydiffusion.launch.dataset;

import org.jspecify.annotations.NullMarked;
