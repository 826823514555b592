// SPDX-License-Identifier: Apache-2.0
/** {@code rdm generate} and the related commands: from their options to images and a summary. */
@NullMarked
package org.relaydiffusion.launch.sampling;

import org.jspecify.annotations.NullMarked;
