package org.relaydiffusion.launch.checkpoints;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.CheckpointSummary;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.ReportOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code rdm inspect}. */
@Command(
    name = "inspect",
    description = {
      "Say what is in a checkpoint: its networks, their options and tensors.",
      "The checksums of a .pt are verified; nothing in the file is executed."
    })
public final class InspectCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(paramLabel = "FILE", description = "A .pkl, .pt or .safetensors file.")
  private Path file = Path.of("");

  @Mixin private final ReportOptions report = new ReportOptions();

  public InspectCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    report.apply();
    CheckpointSummary summary;
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      readTensors(checkpoint);
      summary = checkpoint.summary();
    }
    if (report.json) {
      console.json(summary);
    } else {
      summary.lines().forEach(console::print);
    }
    return ExitCode.OK;
  }

  /** What is damaged there shows only when it is read: a zip has a checksum of each tensor. */
  private static void readTensors(Checkpoint checkpoint) {
    checkpoint.networks().values().forEach(NetworkRecord::state);
    checkpoint.tensors().values().forEach(StoredTensor::data);
  }
}
