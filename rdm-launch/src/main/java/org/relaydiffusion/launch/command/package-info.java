/** What all commands share: the console, exit codes, JSON, the wish to stop, common options. */
@NullMarked
package org.relaydiffusion.launch.command;

import org.jspecify.annotations.NullMarked;
