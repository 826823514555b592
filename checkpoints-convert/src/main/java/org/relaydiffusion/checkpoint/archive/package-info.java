/**
 * The containers that PyTorch writes: a zip of a pickle and raw storages, the older stream, and
 * bare pickles whose storages are such streams inside. Only the bytes of tensors that are asked for
 * are read.
 */
@NullMarked
package org.relaydiffusion.checkpoint.archive;

import org.jspecify.annotations.NullMarked;
