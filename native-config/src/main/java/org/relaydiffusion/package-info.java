// SPDX-License-Identifier: Apache-2.0
/** The root of the exception tree. */
@NullMarked
package org.relaydiffusion;

import org.jspecify.annotations.NullMarked;
