/** Reading and writing official checkpoints, and conversion to safetensors. */
@NullMarked
package org.relaydiffusion.checkpoint;

import org.jspecify.annotations.NullMarked;
