// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.SolverOptions;
import org.relaydiffusion.diffusion.StageDraft;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.diffusion.StageOption;
import org.relaydiffusion.diffusion.StageOptionTable;
import org.relaydiffusion.diffusion.StageOptions;
import org.relaydiffusion.diffusion.sampler.Solver;
import org.relaydiffusion.diffusion.sampler.Solvers;
import org.relaydiffusion.diffusion.schedule.LevelSchedule;
import org.relaydiffusion.launch.command.Converters;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.IGetter;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;

/** The options of one stage, made from the {@link StageOptionTable}: {@code --num_steps_first}. */
final class StageSection implements Section {
  /** Help shows so many stages; the options of further ones work as well. */
  private static final int SHOWN = 3;

  private final int index;
  private final List<StageOption> table;
  private final Function<StageOption, @Nullable Object> defaults;
  private final Class<? extends SolverOptions> solver;
  private final Map<StageOption, Object> values = new LinkedHashMap<>();
  private @Nullable FileLocation network;
  private @Nullable FileLocation guide;

  private StageSection(
      int index,
      SolverOptions options,
      List<StageOption> table,
      Function<StageOption, @Nullable Object> defaults) {
    this.index = index;
    this.solver = options.getClass();
    this.table = table;
    this.defaults = defaults;
  }

  /**
   * Creates the section of a stage with the options and defaults of a preset.
   *
   * @param index of the stage, from 0
   */
  static StageSection of(Preset preset, int index) {
    StageOptions options = preset.stage(index);
    List<StageOption> table =
        StageOptionTable.of(options.solver()).stream()
            .filter(option -> option.of(options) != null)
            .toList();
    return new StageSection(index, options.solver(), table, option -> option.of(options));
  }

  /**
   * Creates the section of a stage with the options of all presets, for {@code --preset}.
   *
   * @param index of the stage, from 0
   */
  static StageSection ofAnyPreset(int index) {
    SolverOptions solver = Preset.GENERATE.stage(index).solver();
    return new StageSection(index, solver, StageOptionTable.of(solver), _ -> null);
  }

  @Override
  public String heading() {
    return switch (index) {
      case 0 -> "First stage (diffusion at low resolution)";
      case 1 -> "Second stage (relay to high resolution)";
      default ->
          "%s stage (another relay; further stages have the same options)".formatted(ordinal());
    };
  }

  private String ordinal() {
    String name = StageNames.of(index);
    return Character.toUpperCase(name.charAt(0)) + name.substring(1);
  }

  private String suffixed(String name) {
    return "--%s_%s".formatted(name, StageNames.of(index));
  }

  /** Returns the options for picocli. */
  CommandSpec spec() {
    CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
    spec.addOption(
        file("network")
            .description(
                ("Checkpoint (.pkl, .pt or .safetensors) of the %s stage. An http or https URL is"
                        + " downloaded once, into the cache folder.%s")
                    .formatted(StageNames.of(index), index < 2 ? "" : " Default: none."))
            .getter(value(() -> network))
            .setter(setter(value -> network = (FileLocation) value))
            .build());
    table.forEach(option -> spec.addOption(option(option, defaults.apply(option))));
    spec.addOption(
        file("guide")
            .description(
                ("Checkpoint of a weaker network of the same shape, by which the %s stage is guided"
                        + " instead of by its own predictions without a class (autoguidance)."
                        + " Default: none.")
                    .formatted(StageNames.of(index)))
            .getter(value(() -> guide))
            .setter(setter(value -> guide = (FileLocation) value))
            .build());
    return spec;
  }

  private OptionSpec.Builder file(String name) {
    return OptionSpec.builder(suffixed(name))
        .paramLabel("FILE|URL")
        .type(FileLocation.class)
        .arity("1")
        .hidden(index >= SHOWN);
  }

  private OptionSpec option(StageOption option, @Nullable Object value) {
    List<String> names = new ArrayList<>();
    if (option.traits().bareInFirst() && index == 0) {
      names.add("--" + option.name());
    }
    names.add(suffixed(option.name()));
    String note = option.note().isEmpty() ? "" : " (%s)".formatted(option.note());
    OptionSpec.Builder builder =
        OptionSpec.builder(names.toArray(String[]::new))
            .paramLabel(option.label())
            .type(type(option.kind()))
            .arity("1")
            .description(
                "%s Default: %s%s."
                    .formatted(
                        option.description(index),
                        value == null ? "that of --preset" : "${DEFAULT-VALUE}",
                        note))
            .hidden(index >= SHOWN)
            .getter(value(() -> values.get(option)))
            .setter(setter(given -> store(option, given)));
    if (value != null) {
      builder.defaultValue(text(value));
    }
    if (option.name().equals("solver")) {
      List<String> solvers = Solvers.names(solver);
      builder.paramLabel(String.join("|", solvers)).completionCandidates(solvers);
    }
    return builder.build();
  }

  private void store(StageOption option, @Nullable Object value) {
    if (value == null) {
      values.remove(option);
    } else {
      values.put(option, value);
    }
  }

  private static IGetter value(Supplier<@Nullable Object> getter) {
    return new IGetter() {
      @Override
      @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals", "NullAway"}) // picocli's.
      public <T> T get() {
        return (T) getter.get();
      }
    };
  }

  /** Returns a setter without a value before, as picocli allows. */
  private static ISetter setter(Consumer<@Nullable Object> setter) {
    return new ISetter() {
      @Override
      @SuppressWarnings("NullAway") // picocli's.
      public <T> T set(T value) {
        setter.accept(value);
        return null;
      }
    };
  }

  private static Class<?> type(StageOption.Kind kind) {
    return switch (kind) {
      case INTEGER -> int.class;
      case NUMBER -> double.class;
      case TEXT -> String.class;
    };
  }

  private static String text(Object value) {
    return value instanceof Double number ? Converters.text(number) : value.toString();
  }

  /** Returns the checkpoint of the stage, if one was given. */
  Optional<FileLocation> network() {
    return Optional.ofNullable(network);
  }

  /** Returns the checkpoint of the network by which the stage is guided, if one was given. */
  Optional<FileLocation> guide() {
    return Optional.ofNullable(guide);
  }

  /** Returns the name of an option of this stage that stands on the command line, if one does. */
  Optional<String> firstTyped(TypedOptions typed) {
    return Stream.concat(
            Stream.of(suffixed("guide")), table.stream().map(option -> suffixed(option.name())))
        .filter(typed::has)
        .findFirst();
  }

  /**
   * Returns the options of the stage.
   *
   * @param others the options that do not stand on the command line
   * @param typed the options that do
   * @throws org.relaydiffusion.OptionException naming the option as typed
   */
  StageOptions options(StageOptions others, TypedOptions typed) {
    return StageErrors.checked(
        StageNames.of(index),
        () -> {
          StageDraft draft = new StageDraft(others);
          values.forEach((option, value) -> {
            if (typed.has(suffixed(option.name()))) {
              option.requireAllowed(value);
              option.writer().accept(draft, stored(option, value));
            }
          });
          StageOptions options = draft.build();
          // A solver that does not exist is found before files are read.
          Solver _ = Solvers.of(options.solver());
          table.stream()
              .map(StageOption::name)
              .filter(name -> typed.has(suffixed(name)))
              .forEach(name -> requireUsed(options.solver(), name));
          return options;
        });
  }

  /** Returns a value as it is recorded: of a schedule, the levels instead of the file's name. */
  private static Object stored(StageOption option, Object value) {
    return option.name().equals("schedule")
        ? LevelSchedule.typed((String) value).toString()
        : value;
  }

  private static void requireUsed(SolverOptions options, String name) {
    Solvers.requireUsed(options, name);
    if (name.equals("rho") && !(options.schedule() instanceof LevelSchedule.Karras)) {
      throw new OptionException("rho must be left out: only the schedule karras uses it");
    }
  }
}
