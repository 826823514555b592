package org.relaydiffusion.launch.command;

import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.launch.Console;
import org.relaydiffusion.launch.StopSignal;
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
