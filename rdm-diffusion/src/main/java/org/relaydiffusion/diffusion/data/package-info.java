// SPDX-License-Identifier: Apache-2.0
/**
 * Training data: a folder or zip of images, and a loader that decodes ahead of the training step.
 */
@NullMarked
package org.relaydiffusion.diffusion.data;

import org.jspecify.annotations.NullMarked;
