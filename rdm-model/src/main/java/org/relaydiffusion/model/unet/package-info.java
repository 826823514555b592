// SPDX-License-Identifier: Apache-2.0
/** The two U-Nets: ADM's (DhariwalUNet) and Song's (DDPM++, NCSN++). */
@NullMarked
package org.relaydiffusion.model.unet;

import org.jspecify.annotations.NullMarked;
