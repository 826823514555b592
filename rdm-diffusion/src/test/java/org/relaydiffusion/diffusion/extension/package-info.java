// SPDX-License-Identifier: Apache-2.0
/** A network of a user's own, added as docs/architecture.md shows. */
@NullMarked
package org.relaydiffusion.diffusion.extension;

import org.jspecify.annotations.NullMarked;
