/** The subcommands of rdm and the options that they share. */
@NullMarked
package org.relaydiffusion.launch.command;

import org.jspecify.annotations.NullMarked;
