// SPDX-License-Identifier: Apache-2.0
/** The rdm command line: the command tree and the handling of its errors. */
@NullMarked
package org.relaydiffusion.launch;

import org.jspecify.annotations.NullMarked;
