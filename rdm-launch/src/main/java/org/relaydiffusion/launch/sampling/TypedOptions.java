// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import picocli.CommandLine.ParseResult;

/**
 * The options that stand on a command line. They override those of a pipeline folder or an image,
 * which override the command's defaults.
 *
 * @param parsed the command line
 */
record TypedOptions(ParseResult parsed) {
  /** Returns whether an option stands on the command line, under any of its names. */
  boolean has(String name) {
    return parsed.hasMatchedOption(name);
  }
}
