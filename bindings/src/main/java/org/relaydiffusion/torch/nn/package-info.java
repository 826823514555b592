// SPDX-License-Identifier: Apache-2.0
/** Networks as trees of modules with named parameters and buffers. */
@NullMarked
package org.relaydiffusion.torch.nn;

import org.jspecify.annotations.NullMarked;
