// SPDX-License-Identifier: Apache-2.0
/** What every module's tests share: no test leaves a live tensor. */
@NullMarked
package org.relaydiffusion.torch.testing;

import org.jspecify.annotations.NullMarked;
