// SPDX-License-Identifier: Apache-2.0
/** {@code rdm train}: a training run as a process, its folder, its peers, and its options. */
@NullMarked
package org.relaydiffusion.launch.training;

import org.jspecify.annotations.NullMarked;
