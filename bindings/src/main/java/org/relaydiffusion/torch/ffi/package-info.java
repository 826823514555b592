// SPDX-License-Identifier: Apache-2.0
/** LibTorch's stable C ABI, call by call. Unexported: a raw handle shows in no public signature. */
@NullMarked
package org.relaydiffusion.torch.ffi;

import org.jspecify.annotations.NullMarked;
