// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import picocli.CommandLine.Command;

/** {@code rdm generate_imagenet}. */
@Command(
    name = "generate_imagenet",
    description =
        "Sample images as for the paper's ImageNet results, with the same adjustment of"
            + " brightness.")
final class GenerateImageNetCommand extends SamplingCommand {
  GenerateImageNetCommand(Console console, StopSignal stop) {
    super(Preset.IMAGENET, console, stop);
  }
}
