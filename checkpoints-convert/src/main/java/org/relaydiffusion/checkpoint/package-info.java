// SPDX-License-Identifier: Apache-2.0
/** Reading and writing official checkpoints, and conversion to safetensors. */
@NullMarked
package org.relaydiffusion.checkpoint;

import org.jspecify.annotations.NullMarked;
