/** A training run as a process: its folder, its peers, and what it goes on from. */
@NullMarked
package org.relaydiffusion.launch.training;

import org.jspecify.annotations.NullMarked;
