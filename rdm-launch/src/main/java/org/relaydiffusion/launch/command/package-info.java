// SPDX-License-Identifier: Apache-2.0
/** Shared parts of all commands: the console, exit codes, JSON, stop requests, common options. */
@NullMarked
package org.relaydiffusion.launch.command;

import org.jspecify.annotations.NullMarked;
