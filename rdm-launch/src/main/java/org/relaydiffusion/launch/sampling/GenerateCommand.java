package org.relaydiffusion.launch.sampling;

import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import picocli.CommandLine.Command;

/** {@code rdm generate}. */
@Command(
    name = "generate",
    description = "Make pictures from two checkpoints, with the defaults of the generate script.")
final class GenerateCommand extends SamplingCommand {
  GenerateCommand(Console console, StopSignal stop) {
    super(Preset.GENERATE, console, stop);
  }
}
