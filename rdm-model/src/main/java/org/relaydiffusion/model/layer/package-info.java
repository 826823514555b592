// SPDX-License-Identifier: Apache-2.0
/** The layers that both U-Nets are made of, with the reference's names and initialisation. */
@NullMarked
package org.relaydiffusion.model.layer;

import org.jspecify.annotations.NullMarked;
