// SPDX-License-Identifier: Apache-2.0
/** {@code rdm doctor}: reports on the environment, and tries the GPUs. */
@NullMarked
package org.relaydiffusion.launch.doctor;

import org.jspecify.annotations.NullMarked;
