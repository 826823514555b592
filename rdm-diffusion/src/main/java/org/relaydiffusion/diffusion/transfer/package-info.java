// SPDX-License-Identifier: Apache-2.0
/** Several tensors of the host that go to a device in one copy. */
@NullMarked
package org.relaydiffusion.diffusion.transfer;

import org.jspecify.annotations.NullMarked;
