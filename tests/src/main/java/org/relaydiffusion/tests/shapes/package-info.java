// SPDX-License-Identifier: Apache-2.0
/** Which shape a picture of {@code synthetic:shapes} shows. */
@NullMarked
package org.relaydiffusion.tests.shapes;

import org.jspecify.annotations.NullMarked;
