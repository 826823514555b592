// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.PipelineFile;
import org.relaydiffusion.diffusion.PipelineFolder;
import org.relaydiffusion.diffusion.PipelinePacker;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.download.Downloads;
import org.relaydiffusion.launch.download.SourceFile;
import org.relaydiffusion.launch.progress.Durations;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** {@code rdm pack}. */
public final class PackCommand implements Callable<Integer> {
  private static final double NANOS = 1e9;

  private final Console console;
  private final StopSignal stop;
  private final List<StageSection> stages =
      IntStream.range(0, StageNames.all().size()).mapToObj(StageSection::ofAnyPreset).toList();

  private final PackOptions folder = new PackOptions();
  private final ReportOptions report = new ReportOptions();
  private @Nullable CommandLine line;

  private PackCommand(Console console, StopSignal stop) {
    this.console = console;
    this.stop = stop;
  }

  /** Creates the command line. */
  public static CommandLine commandLine(Console console, StopSignal stop) {
    PackCommand command = new PackCommand(console, stop);
    CommandSpec spec = CommandSpec.wrapWithoutInspection(command).name("pack");
    spec.usageMessage()
        .description(
            "Write a pipeline to one folder: its networks as .safetensors files, and pipeline.json"
                + " with the options of its stages.",
            "'rdm generate --pipeline=DIR' and RelayPipeline.open(DIR) sample from it.");
    spec.addMixin("folder", CommandSpec.forAnnotatedObject(command.folder));
    for (int i = 0; i < command.stages.size(); i++) {
      spec.addMixin(StageNames.of(i), command.stages.get(i).spec());
    }
    spec.addMixin("report", CommandSpec.forAnnotatedObject(command.report));
    CommandLine created = new CommandLine(spec);
    command.line = created;
    return created;
  }

  @Override
  public Integer call() {
    report.apply();
    PipelinePacker.check(folder.target, folder.existing());
    PipelinePacker packer = packer();
    if (!report.quiet) {
      console.say("rdm pack: writing %s".formatted(folder.target));
    }
    long began = System.nanoTime();
    PipelineFolder written = packer.write(folder.target, folder.existing());
    double seconds = (System.nanoTime() - began) / NANOS;
    if (report.json) {
      console.json(json(written, seconds));
    } else {
      long bytes = written.files().stream().mapToLong(PipelineFile::bytes).sum();
      console.print(
          "%s: %s networks, %s bytes, all tensors equal to those of the checkpoints, %s"
              .formatted(folder.target, written.files().size(), bytes, Durations.text(seconds)));
    }
    return ExitCode.OK;
  }

  private PipelinePacker packer() {
    Downloads downloads = new Downloads(console, report.quiet, stop);
    TypedOptions typed = new TypedOptions(Objects.requireNonNull(line).getParseResult());
    PipelinePacker packer = new PipelinePacker(folder.preset.enhancement());
    Optional.ofNullable(folder.dtype).ifPresent(packer::dtype);
    int count = 0;
    for (int i = 0; i < stages.size(); i++) {
      StageSection stage = stages.get(i);
      if (stage.network().isEmpty()) {
        requireNothingTyped(stage, i, typed);
        continue;
      }
      Path network = fetched(stage.network().get(), downloads);
      Optional<Path> guide = stage.guide().map(location -> fetched(location, downloads));
      packer.stage(
          i,
          new PipelinePacker.Source(network, guide, stage.options(folder.preset.stage(i), typed)));
      count++;
    }
    if (count == 0) {
      throw new OptionException("--network_first is missing: a pipeline requires a checkpoint");
    }
    return packer;
  }

  /** Options of a stage without a network would be lost. */
  private static void requireNothingTyped(StageSection stage, int index, TypedOptions typed) {
    stage
        .firstTyped(typed)
        .ifPresent(option -> {
          throw new OptionException(
              "%s requires --network_%s".formatted(option, StageNames.of(index)));
        });
  }

  private static Path fetched(FileLocation location, Downloads downloads) {
    SourceFile file = downloads.locate(location);
    downloads.fetch(file);
    return file.path();
  }

  private Map<String, @Nullable Object> json(PipelineFolder written, double seconds) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("command", "pack");
    json.put("dest", folder.target);
    json.put("preset", folder.preset.script());
    json.put("dtype", folder.dtype == null ? null : folder.dtype.torchName());
    json.put("files", written.files());
    json.put("seconds", seconds);
    return json;
  }
}
