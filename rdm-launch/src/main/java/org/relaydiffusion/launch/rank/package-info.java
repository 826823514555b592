// SPDX-License-Identifier: Apache-2.0
/** The rank of this process, and the rendezvous of the ranks of a run. */
@NullMarked
package org.relaydiffusion.launch.rank;

import org.jspecify.annotations.NullMarked;
