// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.PipelineFolder;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.diffusion.StageOptions;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.diffusion.random.Seeds;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.download.Downloads;
import org.relaydiffusion.launch.progress.StatusLine;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.sampling.SamplingJob.Existing;
import org.relaydiffusion.launch.sampling.SamplingJob.Metadata;
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
  private @Nullable CommandLine line;

  private SamplingCommand(Preset preset, Console console, StopSignal stop) {
    this.preset = preset;
    this.console = console;
    this.stop = stop;
    stages =
        IntStream.range(0, StageNames.all().size())
            .mapToObj(index -> StageSection.of(preset, index))
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
    CommandLine created = new CommandLine(spec);
    created.setDefaultValueProvider(new PresetDefaults(preset));
    line = created;
    return created;
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
    TypedOptions typed = new TypedOptions(Objects.requireNonNull(line).getParseResult());
    Rank rank = Rank.of(console.environment());
    Optional<PictureOrigin> origin = Optional.ofNullable(job.like).map(PictureOrigin::read);
    origin.ifPresent(picture -> new PictureDefaults(picture, typed).fill(job, running));
    if (job.interpolation != null) {
      InterpolationRun.requireApplicable(typed);
    }
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
            job.resume ? Existing.KEEP : Existing.REPLACE,
            job.noMetadata ? Metadata.OMIT : Metadata.WRITE);
    StageNetworks given = networks(downloads, typed);
    origin.ifPresent(picture -> requireNetworks(picture, given));
    StageRange range = range(given, typed);
    List<StageOptions> defaults =
        origin
            .map(PictureOrigin::stages)
            .or(() -> given.folder().map(PipelineFolder::options))
            .orElseGet(preset::stages);
    List<StageOptions> options =
        IntStream.range(0, stages.size())
            .mapToObj(stage -> options(stage, defaults.get(stage), typed))
            .toList();
    StageNetworks networks = given.used(options);
    return new SamplingJob(
        preset.script(),
        networks,
        target,
        Seeds.parse(seeds()),
        seeds(),
        job.batch,
        job.classes(),
        range,
        options,
        origin
            .map(PictureOrigin::enhancement)
            .or(() -> networks.folder().map(PipelineFolder::enhancement))
            .orElseGet(preset::enhancement),
        runtime(rank, origin, () -> SamplingJob.requireComplete(range, networks, target), typed),
        rank,
        origin.map(picture -> new PictureDefaults(picture, typed).repetition(rank)));
  }

  /** An interpolation has the noise of its first seed. */
  private String seeds() {
    return job.interpolation == null ? job.seeds : Long.toString(job.interpolation.from());
  }

  private StageOptions options(int stage, StageOptions defaults, TypedOptions typed) {
    StageOptions options = stages.get(stage).options(defaults, typed);
    String option = "--truncation_t_" + StageNames.of(stage);
    // Only the other scripts may start beyond the end of the schedule.
    if (preset == Preset.GENERATE
        && typed.has(option)
        && options.solver() instanceof RelayOptions relay
        && relay.truncationT() > 1) {
      throw new OptionException(
          "%s must be above 0 and at most 1, but is %s".formatted(option, relay.truncationT()));
    }
    return options;
  }

  private StageNetworks networks(Downloads downloads, TypedOptions typed) {
    if (job.pipeline == null) {
      return StageNetworks.of(stages, downloads);
    }
    for (String stage : StageNames.all()) {
      for (String option : List.of("--network_" + stage, "--guide_" + stage)) {
        if (typed.has(option)) {
          throw new OptionException("%s and --pipeline are mutually exclusive".formatted(option));
        }
      }
    }
    return StageNetworks.of(PipelineFolder.open(job.pipeline));
  }

  private static void requireNetworks(PictureOrigin picture, StageNetworks networks) {
    if (networks.files().isEmpty()) {
      throw new OptionException(
          "--like=%s requires the networks of the image: %s, or --pipeline"
              .formatted(Printable.of(picture.file()), picture.networkOptions()));
    }
  }

  /** Returns the stages to run: of a folder with the first stage alone, that stage. */
  private StageRange range(StageNetworks networks, TypedOptions typed) {
    boolean isFirstAlone =
        networks.folder().isPresent() && networks.networks().keySet().equals(Set.of(0));
    return isFirstAlone && job.stages.equals(StageRange.ALL) && !typed.has("--sampler_stages")
        ? StageRange.only(0)
        : job.stages;
  }

  /**
   * Called last, because LibTorch is loaded to determine whether CUDA is available.
   *
   * @param check of the other options, before that
   */
  private SamplingJob.Runtime runtime(
      Rank rank, Optional<PictureOrigin> origin, Runnable check, TypedOptions typed) {
    check.run();
    SamplingJob.Runtime runtime = running.runtime(rank);
    return origin
        .filter(_ -> !typed.has("--noise"))
        .map(picture -> runtime.with(picture.noiseOn(runtime.device())))
        .orElse(runtime);
  }
}
