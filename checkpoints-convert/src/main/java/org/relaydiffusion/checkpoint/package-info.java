/** Official checkpoints in, safetensors out. */
@NullMarked
package org.relaydiffusion.checkpoint;

import org.jspecify.annotations.NullMarked;
