// SPDX-License-Identifier: Apache-2.0
/**
 * The data set tool: reads images from folders, archives or a procedural generator, resizes them,
 * and writes the folder or zip used for training.
 */
@NullMarked
package org.relaydiffusion.diffusion.data.convert;

import org.jspecify.annotations.NullMarked;
