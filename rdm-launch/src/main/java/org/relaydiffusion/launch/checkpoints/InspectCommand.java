// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.checkpoints;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.CheckpointFormat;
import org.relaydiffusion.checkpoint.CheckpointSummary;
import org.relaydiffusion.checkpoint.CheckpointSummary.TensorInfo;
import org.relaydiffusion.checkpoint.ModuleFile;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.diffusion.PipelineFolder;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.metrics.inception.InceptionWeights;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code rdm inspect}. */
@Command(
    name = "inspect",
    description = {
      "List the contents of a checkpoint: networks, their options and tensors. Also reads a bare"
          + " state_dict, a TorchScript archive, a file with Inception-v3, or a pipeline folder.",
      "The checksums of a .pt and of a pipeline folder are verified; nothing is executed."
    })
public final class InspectCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(
      paramLabel = "FILE|DIR",
      description = "A .pkl, .pt, .pth or .safetensors file, or a folder with pipeline.json.")
  private Path file = Path.of("");

  @Mixin private final ReportOptions report = new ReportOptions();

  public InspectCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    report.apply();
    if (Files.isDirectory(file)) {
      return pipeline();
    }
    CheckpointSummary summary = summary();
    boolean inception =
        InceptionWeights.areNamed(
            summary.tensors().stream().map(TensorInfo::name).collect(Collectors.toSet()));
    if (report.json) {
      console.json(summary);
    } else {
      summary.lines().forEach(console::print);
      if (inception) {
        console.print(
            "These are the tensor names of Inception-v3, for metrics: use 'rdm convert"
                + " --inception' for this"
                + " file.");
      }
    }
    return ExitCode.OK;
  }

  private int pipeline() {
    PipelineFolder folder = PipelineFolder.open(file);
    folder.verify();
    PipelineContents contents = new PipelineContents(folder);
    if (report.json) {
      console.json(contents.json());
    } else {
      contents.lines().forEach(console::print);
    }
    return ExitCode.OK;
  }

  /** Inspects a checkpoint, or otherwise a module of any other kind. */
  private CheckpointSummary summary() {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      readTensors(checkpoint);
      return checkpoint.summary();
    } catch (FileException refused) {
      try (ModuleFile module = ModuleFile.open(file)) {
        // A dictionary that is not a valid checkpoint is reported as such, not as a module.
        boolean single =
            module.format() == CheckpointFormat.MODULE
                || module.format() == CheckpointFormat.TORCH_SCRIPT;
        if (!single || module.tensors().isEmpty()) {
          throw refused;
        }
        module.tensors().values().forEach(StoredTensor::data);
        return module.summary();
      } catch (RdmException _) {
        // It is not a module either: the error about the checkpoint is more informative.
        throw refused;
      }
    }
  }

  /**
   * Reads all tensors, because damage only shows when they are read: a zip has a checksum for each.
   */
  private static void readTensors(Checkpoint checkpoint) {
    checkpoint.networks().values().forEach(NetworkRecord::state);
    checkpoint.tensors().values().forEach(StoredTensor::data);
  }
}
