// SPDX-License-Identifier: Apache-2.0
/**
 * The containers written by PyTorch: a zip of a pickle and raw storages, the legacy stream, and
 * bare pickles whose storages are such streams. Tensor data is only read on access.
 */
@NullMarked
package org.relaydiffusion.checkpoint.archive;

import org.jspecify.annotations.NullMarked;
