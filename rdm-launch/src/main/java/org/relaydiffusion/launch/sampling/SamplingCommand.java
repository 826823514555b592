// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.diffusion.StageOptions;
import org.relaydiffusion.diffusion.random.Seeds;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.download.Downloads;
import org.relaydiffusion.launch.download.SourceFile;
import org.relaydiffusion.launch.progress.StatusLine;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.sampling.SamplingJob.Existing;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/**
 * A sampling command: {@code generate}, {@code generate_celebahq} or {@code generate_imagenet},
 * which differ in their {@link Preset}.
 */
public final class SamplingCommand implements Callable<Integer> {
  private final Preset preset;
  private final Console console;
  private final StopSignal stop;

  private final JobOptions job = new JobOptions();
  private final List<StageSection> stages;
  private final RunOptions running = new RunOptions();
  private final ReportOptions report = new ReportOptions();

  private SamplingCommand(Preset preset, Console console, StopSignal stop) {
    this.preset = preset;
    this.console = console;
    this.stop = stop;
    stages =
        IntStream.range(0, StageNames.all().size())
            .mapToObj(index -> new StageSection(preset, index))
            .toList();
  }

  /** Creates the command lines of all three, each with the defaults of its preset. */
  public static List<CommandLine> commandLines(Console console, StopSignal stop) {
    return Arrays.stream(Preset.values())
        .map(preset -> new SamplingCommand(preset, console, stop).commandLine())
        .toList();
  }

  private CommandLine commandLine() {
    CommandSpec spec = CommandSpec.wrapWithoutInspection(this).name(preset.script());
    spec.usageMessage().description(description());
    spec.addMixin("job", CommandSpec.forAnnotatedObject(job));
    for (int i = 0; i < stages.size(); i++) {
      spec.addMixin(StageNames.of(i), stages.get(i).spec());
    }
    spec.addMixin("running", CommandSpec.forAnnotatedObject(running));
    spec.addMixin("report", CommandSpec.forAnnotatedObject(report));
    CommandLine line = new CommandLine(spec);
    line.setDefaultValueProvider(new PresetDefaults(preset));
    return line;
  }

  private String description() {
    return switch (preset) {
      case GENERATE ->
          "Sample images from the checkpoints of two or more stages, with the defaults of the"
              + " generate script.";
      case CELEBAHQ ->
          "Sample images as for the paper's CelebA-HQ results, with the same adjustment of"
              + " contrast, brightness and colour.";
      case IMAGENET ->
          "Sample images as for the paper's ImageNet results, with the same adjustment of"
              + " brightness.";
    };
  }

  @Override
  public Integer call() {
    report.apply();
    Downloads downloads = new Downloads(console, report.quiet, stop);
    SamplingJob what = job(downloads);
    SamplingReport output = new SamplingReport(console, report);
    output.header(what);
    StatusLine status = output.status(what.rank());
    SamplingResult result =
        job.interpolation == null
            ? new SamplingRun(what, downloads, status, stop).run()
            : new InterpolationRun(what, job.interpolation, downloads, status, stop).run();
    output.result(result);
    return ExitCode.OK;
  }

  private SamplingJob job(Downloads downloads) {
    Rank rank = Rank.of(console.environment());
    if (job.batch < 1) {
      throw new OptionException("--batch must be at least 1, but is " + job.batch);
    }
    SamplingJob.Target target =
        new SamplingJob.Target(
            job.outdir,
            Optional.ofNullable(job.indir),
            Optional.ofNullable(job.grid),
            Optional.ofNullable(job.npz),
            Optional.ofNullable(job.animation),
            job.resume ? Existing.KEEP : Existing.REPLACE);
    return new SamplingJob(
        preset.script(),
        new StageNetworks(
            located(StageSection::network, downloads), located(StageSection::guide, downloads)),
        target,
        Seeds.parse(seeds()),
        seeds(),
        job.batch,
        job.classes(),
        job.stages,
        IntStream.range(0, stages.size()).mapToObj(this::options).toList(),
        preset.enhancement(),
        runtime(rank, target),
        rank);
  }

  /** An interpolation has the noise of its first seed. */
  private String seeds() {
    return job.interpolation == null ? job.seeds : Long.toString(job.interpolation.from());
  }

  private StageOptions options(int stage) {
    StageOptions options = stages.get(stage).options();
    // Only the other scripts may start beyond the end of the schedule.
    if (preset == Preset.GENERATE
        && options.solver() instanceof RelayOptions relay
        && relay.truncationT() > 1) {
      throw new OptionException(
          "--truncation_t_%s must be above 0 and at most 1, but is %s"
              .formatted(StageNames.of(stage), relay.truncationT()));
    }
    return options;
  }

  private SortedMap<Integer, SourceFile> located(
      Function<StageSection, Optional<FileLocation>> file, Downloads downloads) {
    SortedMap<Integer, SourceFile> files = new TreeMap<>();
    for (int i = 0; i < stages.size(); i++) {
      int index = i;
      file.apply(stages.get(i)).ifPresent(location -> files.put(index, downloads.locate(location)));
    }
    return files;
  }

  private Set<Integer> given(Function<StageSection, Optional<FileLocation>> file) {
    return IntStream.range(0, stages.size())
        .filter(i -> file.apply(stages.get(i)).isPresent())
        .boxed()
        .collect(Collectors.toSet());
  }

  /** Called last, because LibTorch is loaded to determine whether CUDA is available. */
  private SamplingJob.Runtime runtime(Rank rank, SamplingJob.Target target) {
    SamplingJob.requireComplete(
        job.stages, given(StageSection::network), given(StageSection::guide), target);
    OptionalInt threads = running.compute.threads();
    return new SamplingJob.Runtime(
        running.compute.device(rank),
        running.dtype,
        running.compute.numerics,
        running.cudaGraphs,
        running.noise,
        threads,
        running.compute.tf32());
  }
}
