// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.launch.ReferenceScripts.Option;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.Converters;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.process.WorkerCommand;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Every option of the official scripts, tried on the command of the same name: a value is taken
 * where the command does not call it a usage error. The commands then fail for want of checkpoints,
 * or print what they would do.
 */
class OptionTableTest {
  private static final double LITTLE = 0.01;
  private static final int MUCH = 50;

  /** Where a command is meant to differ from its script, and why. */
  private static final Map<String, String> MEANT =
      Map.ofEntries(
          entry("--tick takes 1.5", "small sets have ticks of less than a thousand images"),
          entry("--snap takes 0", "0 is none"),
          entry("--dump takes 0", "0 is none: states are saved by the clock, too"),
          entry("--prob-length refuses 0", "every noise level would be 0, and the loss NaN"),
          entry(
              "--prob-length refuses 50", "beyond 1 noise levels, and with them the loss, are NaN"),
          entry("--num_steps_first refuses 1", "the only noise level would be 0/0"),
          entry("--num_steps_second refuses 1", "the only noise level would be 0/0"),
          entry("--s_noise_second refuses 50", "beyond 1 the images are NaN"),
          entry("--sde_scale_first refuses 50", "beyond 1 the images are NaN"),
          entry("--sigma_min_first has default 0.002", "the sampler's own, spelled out"),
          entry("--sigma_max_first has default 80", "the sampler's own, spelled out"),
          entry("--sigma_min_second has default 0.008", "the sampler's own, spelled out"),
          entry("--sigma_max_second has default 80", "the sampler's own, spelled out"),
          entry("--transform has default none", "the script's own, spelled out"),
          entry("-m has default fid", "required there"));

  private static final CommandLine ROOT =
      RootCommand.commandLine(
          new Console(
              new PrintWriter(new StringWriter()),
              new PrintWriter(new StringWriter()),
              false,
              Map.of()),
          new StopSignal(),
          WorkerCommand.likeThisProcess(Rdm.class));

  @TempDir private Path folder;

  static List<String> scripts() {
    return ReferenceScripts.scripts();
  }

  @BeforeEach
  void makePictures() {
    ReferenceScripts.makePictures(folder.resolve("pictures"));
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void everyOptionIsTheScripts(String script) {
    Set<String> found = new LinkedHashSet<>();
    for (Option option : ReferenceScripts.options(script)) {
      found.addAll(differences(script, option));
    }

    // A row that is not needed any more is a mistake, too.
    assertThat(found).containsExactlyInAnyOrderElementsOf(meant(script));
  }

  private static List<String> meant(String script) {
    Set<String> names = new LinkedHashSet<>();
    ReferenceScripts.options(script).forEach(option -> names.add(option.name()));
    return MEANT.keySet().stream()
        .filter(row -> names.contains(row.substring(0, row.indexOf(' '))))
        .toList();
  }

  private List<String> differences(String script, Option option) {
    List<String> found = new ArrayList<>();
    for (String name : option.names()) {
      for (String spelling : spellings(name)) {
        if (spec(script, spelling) == null) {
          found.add(spelling + " is unknown");
          return found;
        }
      }
    }
    List<List<String>> good = new ArrayList<>();
    good(option).forEach(value -> good.addAll(forms(option.name(), value)));
    for (String name : option.names()) {
      for (String spelling : spellings(name)) {
        good.add(forms(spelling, good(option).getFirst()).getLast());
      }
    }
    good.stream()
        .distinct()
        .filter(form -> !takes(script, form))
        .forEach(form -> found.add(String.join(" ", form) + " is refused"));
    inRange(option).stream()
        .filter(value -> !takes(script, forms(option.name(), value).getFirst()))
        .forEach(value -> found.add("%s refuses %s".formatted(option.name(), value)));
    bad(option).stream()
        .filter(value -> takes(script, forms(option.name(), value).getFirst()))
        .forEach(value -> found.add("%s takes %s".formatted(option.name(), value)));
    otherDefault(script, option)
        .ifPresent(value -> found.add("%s has default %s".formatted(option.name(), value)));
    return found;
  }

  private static Set<String> spellings(String name) {
    if (!name.startsWith("--")) {
      return Set.of(name);
    }
    String word = name.substring(2);
    return new LinkedHashSet<>(
        List.of(name, "--" + word.replace('-', '_'), "--" + word.replace('_', '-')));
  }

  /** An option with its value, in one argument and in two. */
  private static List<List<String>> forms(String name, String value) {
    if (value.isEmpty()) {
      return List.of(List.of(name));
    }
    List<String> two = List.of(name, value);
    return name.startsWith("--") ? List.of(List.of(name + "=" + value), two) : List.of(two);
  }

  /** Values of the option's kind. */
  private List<String> good(Option option) {
    return switch (option.kind()) {
      case "flag" -> List.of("");
      case "bool" -> List.of("1", "0", "True", "no");
      case "int" -> List.of("4");
      case "float" -> List.of("0.5", "5e-1");
      case "choice" -> option.choices();
      case "int list: 1,2,5-10" -> List.of("1,2-4", "2");
      case "WxH" -> List.of("16x8");
      default -> List.of(folder.resolve("placeholder").toString());
    };
  }

  /** Values at the ends of the option's range. */
  private static List<String> inRange(Option option) {
    if (!option.isNumber()) {
      return List.of();
    }
    List<String> values = new ArrayList<>();
    option
        .min()
        .ifPresent(min -> values.add(Converters.text(option.minOpen() ? min + LITTLE : min)));
    values.add(Converters.text(option.max().orElse(MUCH)));
    return values;
  }

  /** Values just outside the option's range, or of another kind. */
  private static List<String> bad(Option option) {
    List<String> values = new ArrayList<>();
    double step = option.kind().equals("int") ? 1 : LITTLE;
    option.min().ifPresent(min -> values.add(Converters.text(option.minOpen() ? min : min - step)));
    option.max().ifPresent(max -> values.add(Converters.text(max + step)));
    switch (option.kind()) {
      case "bool" -> values.add("maybe");
      case "int" -> values.addAll(List.of("1.5", "many"));
      case "float" -> values.addAll(List.of("much", "1x"));
      case "choice", "int list: 1,2,5-10" -> values.add("other");
      case "WxH" -> values.add("64");
      default -> {}
    }
    return values;
  }

  private boolean takes(String script, List<String> form) {
    List<String> line = new ArrayList<>(base(script));
    line.addAll(company(form));
    line.addAll(form);
    RdmRun run = RdmRun.in(ReferenceScripts.home(folder), line.toArray(String[]::new));
    return run.code() != ExitCode.USAGE;
  }

  /** A command line of the script that lacks nothing but its checkpoints. */
  private List<String> base(String script) {
    List<String> line = new ArrayList<>(List.of(script.split(" ")));
    switch (script) {
      case "train" ->
          line.addAll(
              List.of(
                  "--outdir=" + folder.resolve("runs"),
                  "--data=" + ReferenceScripts.DATA,
                  "--precond=blur",
                  "--cbase=8",
                  "--batch=4",
                  "--dry-run"));
      case "dataset_tool" ->
          line.addAll(
              List.of(
                  "--source=" + folder.resolve("pictures"),
                  "--dest=" + folder.resolve("set.zip"),
                  "--resolution=8x8",
                  "--overwrite"));
      case "evaluate activations" ->
          line.addAll(
              List.of(
                  "--data=" + folder.resolve("pictures"),
                  "--dest=" + folder.resolve("features.npz")));
      case "evaluate calc" ->
          line.addAll(
              List.of(
                  "--metrics=fid",
                  "--activations_sample=" + folder.resolve("samples.npz"),
                  "--activations_ref=" + folder.resolve("ref.npz")));
      default ->
          line.addAll(
              List.of(
                  "--outdir=" + folder.resolve("samples"),
                  "--network_first=" + folder.resolve("first.pkl"),
                  "--network_second=" + folder.resolve("second.pt")));
    }
    return line;
  }

  /** What an option has no meaning without. */
  private List<String> company(List<String> form) {
    String text = String.join("=", form).replace('-', '_');
    if (text.startsWith("__sampler_stages=second")) {
      return List.of("--indir=" + folder);
    }
    if (text.startsWith("__indir")) {
      return List.of("--sampler_stages=second");
    }
    return text.startsWith("__sigma_min_second")
        ? List.of("--truncation_sigma_second=60")
        : List.of();
  }

  private static Optional<String> otherDefault(String script, Option option) {
    if (option.kind().equals("flag")) {
      return Optional.empty();
    }
    String expected = option.defaultValue().orElse("");
    String found =
        Objects.requireNonNullElse(
            Objects.requireNonNull(spec(script, option.name())).defaultValueString(), "null");
    found = found.equals("null") ? "" : found;
    return isSame(expected, found) ? Optional.empty() : Optional.of(found);
  }

  private static boolean isSame(String expected, String found) {
    return expected.equals(found)
        || (Stream.of(expected, found).allMatch(text -> text.matches("[0-9.eE+-]+"))
            && Double.parseDouble(expected) == Double.parseDouble(found));
  }

  /** What the command has under a name that a user may type. */
  private static @Nullable OptionSpec spec(String script, String name) {
    List<String> line = new ArrayList<>(Arrays.asList(script.split(" ")));
    line.add(name);
    List<String> normalised = ArgumentNames.normalise(line, ROOT);
    CommandLine command = ROOT;
    for (String word : normalised.subList(0, normalised.size() - 1)) {
      command = Objects.requireNonNull(command.getSubcommands().get(word), word);
    }
    return command.getCommandSpec().findOption(normalised.getLast());
  }
}
