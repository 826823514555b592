// SPDX-License-Identifier: Apache-2.0
/** The networks: layers, U-Nets and preconditioners. */
@NullMarked
package org.relaydiffusion.model;

import org.jspecify.annotations.NullMarked;
