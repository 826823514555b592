package org.relaydiffusion.launch.command;

import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.launch.Console;
import org.relaydiffusion.launch.StopSignal;
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
