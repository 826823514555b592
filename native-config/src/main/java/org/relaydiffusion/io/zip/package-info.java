// SPDX-License-Identifier: Apache-2.0
/** Reading of zip archives: data sets of images, tensors of checkpoints, numpy arrays. */
@NullMarked
package org.relaydiffusion.io.zip;

import org.jspecify.annotations.NullMarked;
