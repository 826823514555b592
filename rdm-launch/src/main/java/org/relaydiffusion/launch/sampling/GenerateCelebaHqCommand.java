// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rdm generate_celebahq}. */
@Command(
    name = "generate_celebahq",
    description =
        "Sample images as for the paper's CelebA-HQ results, with the same adjustment of contrast,"
            + " brightness and colour.")
final class GenerateCelebaHqCommand extends SamplingCommand {
  @Mixin private final CelebaHqOptions celebaHq = new CelebaHqOptions();

  GenerateCelebaHqCommand(Console console, StopSignal stop) {
    super(Preset.CELEBAHQ, console, stop);
  }

  @Override
  EdmOptions complete(EdmOptions options) {
    return celebaHq.first(options);
  }

  @Override
  RelayOptions complete(RelayOptions options) {
    return celebaHq.second(options);
  }
}
