// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import picocli.CommandLine.Command;

/** {@code rdm generate}. */
@Command(
    name = "generate",
    description = "Sample images from two checkpoints, with the defaults of the generate script.")
final class GenerateCommand extends SamplingCommand {
  GenerateCommand(Console console, StopSignal stop) {
    super(Preset.GENERATE, console, stop);
  }

  @Override
  RelayOptions complete(RelayOptions options) {
    // Only the other scripts may start beyond the end of the schedule.
    if (options.truncationT() > 1) {
      throw new OptionException(
          "--truncation_t_second must be above 0 and at most 1, but is " + options.truncationT());
    }
    return options;
  }
}
