// SPDX-License-Identifier: Apache-2.0
/** The training loop of both stages, its options, its states and its statistics. */
@NullMarked
package org.relaydiffusion.diffusion.train;

import org.jspecify.annotations.NullMarked;
