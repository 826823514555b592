// SPDX-License-Identifier: Apache-2.0
/** File access for all other packages: mapped and validated reading, atomic writing. */
@NullMarked
package org.relaydiffusion.io;

import org.jspecify.annotations.NullMarked;
