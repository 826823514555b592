// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.ClassList;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.RelayPipeline;
import org.relaydiffusion.diffusion.SampleRequest;
import org.relaydiffusion.diffusion.ScheduleTuning;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.diffusion.schedule.LevelSearch;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.OutputFile;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.InterruptedRunException;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.download.Downloads;
import org.relaydiffusion.launch.progress.StatusLine;
import org.relaydiffusion.launch.rank.Rank;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code rdm tune-steps}. */
@Command(
    name = "tune-steps",
    description = {
      "Fit the noise levels of one stage to its networks: search those whose images are nearest to"
          + " the images of a long run from the same start, without noise in the steps.",
      "'rdm generate --schedule_first=align-your-steps:FILE' samples with them."
    })
public final class TuneStepsCommand implements Callable<Integer> {
  /** More passes than a search within its number of evaluations can make. */
  private static final int PASSES = 10_000;

  private final Console console;
  private final StopSignal stop;
  private final List<StageSection> stages =
      IntStream.range(0, StageNames.all().size())
          .mapToObj(index -> StageSection.of(Preset.GENERATE, index))
          .toList();
  private final RunOptions running = new RunOptions();
  private final ReportOptions report = new ReportOptions();
  private @Nullable CommandLine line;

  @Option(
      names = "--dest",
      paramLabel = "FILE.txt",
      required = true,
      description = "The file to write: one noise level per line.")
  private Path target = Path.of("");

  @Option(
      names = "--stage",
      paramLabel = "first|second|...",
      description = "The stage to tune. Default: ${DEFAULT-VALUE}.",
      defaultValue = "first")
  private String stage = "first";

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Number of noise levels to place, at least 3. Default: ${DEFAULT-VALUE}.",
      defaultValue = "12")
  private int steps;

  @Option(
      names = "--long",
      paramLabel = "N",
      description =
          "Number of noise levels of the long run, above --steps. Default: ${DEFAULT-VALUE}.",
      defaultValue = "100")
  private int longSteps;

  @Option(
      names = "--evaluations",
      paramLabel = "N",
      description =
          "Maximum number of sets of levels to try; each costs one run of --steps."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "200")
  private int evaluations;

  @Option(
      names = "--seeds",
      paramLabel = "LIST",
      description =
          "Seeds of the images to compare, which are sampled in one batch."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "0-15")
  private String seeds = "0-15";

  @Option(
      names = "--class",
      paramLabel = "LIST",
      description = "Classes of the images, assigned in turn. Default: all classes.")
  private @Nullable String classes;

  private TuneStepsCommand(Console console, StopSignal stop) {
    this.console = console;
    this.stop = stop;
  }

  /** Creates the command line. */
  public static CommandLine commandLine(Console console, StopSignal stop) {
    TuneStepsCommand command = new TuneStepsCommand(console, stop);
    CommandSpec spec = CommandSpec.forAnnotatedObject(command);
    for (int i = 0; i < command.stages.size(); i++) {
      spec.addMixin(StageNames.of(i), command.stages.get(i).spec());
    }
    spec.addMixin("running", CommandSpec.forAnnotatedObject(command.running));
    spec.addMixin("report", CommandSpec.forAnnotatedObject(command.report));
    CommandLine created = new CommandLine(spec);
    command.line = created;
    return created;
  }

  @Override
  public Integer call() {
    report.apply();
    int index =
        StageNames.index(stage)
            .orElseThrow(() ->
                new OptionException(
                    "--stage must be %s, but is '%s'"
                        .formatted(String.join(", ", StageNames.all()), stage)));
    requireAtLeast("--evaluations", 1, evaluations);
    requireAtLeast("--steps", 3, steps);
    requireAtLeast("--long", steps + 1, longSteps);
    Rank rank = Rank.of(console.environment());
    if (rank.worldSize() > 1) {
      throw new OptionException("tune-steps runs in one process only");
    }
    TypedOptions typed = new TypedOptions(Objects.requireNonNull(line).getParseResult());
    String name = StageNames.of(index);
    for (String option : List.of("--num_steps_" + name, "--schedule_" + name)) {
      if (typed.has(option)) {
        throw new OptionException(
            "%s must be left out: the noise levels of this stage are searched".formatted(option));
      }
    }
    OutputFile.refuseOthers(target, "text file", TuneStepsCommand::isText);
    AtomicFile.checkWritable(target);
    Downloads downloads = new Downloads(console, report.quiet, stop);
    StageRange range = new StageRange(0, OptionalInt.of(index));
    StageNetworks networks = StageNetworks.of(stages, downloads);
    networks.requireComplete(range);
    SampleRequest.Builder request = request(typed);
    NetworkLoader loader =
        new NetworkLoader(networks.within(range), running.runtime(rank), downloads);
    loader.prepare();
    StatusLine status =
        StatusLine.of(console, StatusLine.kind(console, !report.quiet && rank.isFirst()));
    try (RelayPipeline pipeline = loader.load()) {
      LevelSearch.Found found =
          new ScheduleTuning(pipeline, request.build(), index, steps, longSteps)
              .run(
                  new LevelSearch(PASSES, evaluations),
                  (evaluation, distance) ->
                      status.show(
                          "%s of at most %s sets of levels, distance %s grey levels"
                              .formatted(evaluation, evaluations, rounded(distance))));
      status.clear();
      write(found);
      print(found, name);
      return ExitCode.OK;
    } catch (CancelledException e) {
      status.clear();
      throw new InterruptedRunException("stopped; %s was not written".formatted(target), e);
    }
  }

  private static String rounded(double distance) {
    return String.format(Locale.ROOT, "%.3f", distance);
  }

  private static boolean isText(Path file) {
    return String.valueOf(file.getFileName()).endsWith(".txt");
  }

  private static void requireAtLeast(String option, int least, int value) {
    if (value < least) {
      throw new OptionException(
          "%s must be at least %s, but is %s".formatted(option, least, value));
    }
  }

  private SampleRequest.Builder request(TypedOptions typed) {
    Cancellation cancellation = new Cancellation();
    stop.onRequest(cancellation::cancel);
    SampleRequest.Builder request =
        SampleRequest.builder()
            .seeds(seeds)
            .classes(classes == null ? ClassList.ALL : ClassList.parse(classes))
            .noise(running.noise)
            .cancellation(cancellation);
    for (int i = 0; i < stages.size(); i++) {
      request.stage(i, stages.get(i).options(Preset.GENERATE.stage(i), typed));
    }
    return request;
  }

  private void write(LevelSearch.Found found) {
    String text =
        Arrays.stream(found.levels()).mapToObj(Double::toString).collect(Collectors.joining("\n"));
    byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(target, out -> out.write(ByteBuffer.wrap(bytes)));
  }

  private void print(LevelSearch.Found found, String name) {
    if (report.json) {
      Map<String, @Nullable Object> json = new LinkedHashMap<>();
      json.put("command", "tune-steps");
      json.put("dest", target);
      json.put("stage", name);
      json.put("levels", Arrays.stream(found.levels()).boxed().toList());
      json.put("distance", found.distance());
      json.put("distance_before", found.startDistance());
      json.put("evaluations", found.evaluations());
      console.json(json);
      return;
    }
    console.print(
        "%s: %s noise levels, distance from the long run %s grey levels, before %s"
            .formatted(target, steps, rounded(found.distance()), rounded(found.startDistance())));
    console.print(
        "use them with --num_steps_%s=%s --schedule_%s=align-your-steps:%s"
            .formatted(name, steps, name, target));
  }
}
