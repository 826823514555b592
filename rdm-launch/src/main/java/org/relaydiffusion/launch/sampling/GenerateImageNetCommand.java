package org.relaydiffusion.launch.sampling;

import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import picocli.CommandLine.Command;

/** {@code rdm generate_imagenet}. */
@Command(
    name = "generate_imagenet",
    description =
        "Make pictures as the paper's ImageNet samples were made, brightened at the end as they"
            + " were.")
final class GenerateImageNetCommand extends SamplingCommand {
  GenerateImageNetCommand(Console console, StopSignal stop) {
    super(Preset.IMAGENET, console, stop);
  }
}
