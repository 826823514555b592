// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.StageOption.Kind;
import org.relaydiffusion.diffusion.StageOption.Traits;
import org.relaydiffusion.diffusion.guidance.GuidanceInterval;
import org.relaydiffusion.diffusion.schedule.LevelSchedule;

/** The options of a stage, as a table: see {@link StageOption}. */
public final class StageOptionTable {
  private static final Traits SPARSE = new Traits(false, true, Integer.MIN_VALUE, false);
  private static final Traits BARE = new Traits(true, false, Integer.MIN_VALUE, false);
  private static final Traits ABOVE_ZERO = new Traits(false, false, Integer.MIN_VALUE, true);

  /** The options of guidance, which all stages have. */
  private static final StageOption GUIDANCE =
      new StageOption(
          "cfg_scale",
          "guidance",
          Kind.NUMBER,
          "X",
          "Guidance scale, at least 0: classifier-free, or by the network of --guide_{stage};"
              + " above 1, it requires a second network evaluation.",
          "1 or less: off",
          s -> s.guidance().scale(),
          (d, v) -> d.scale((double) v),
          Traits.NONE);

  private static final StageOption INTERVAL =
      new StageOption(
          "guidance_interval",
          "guidance_interval",
          Kind.TEXT,
          "LO,HI",
          "Noise levels above LO, up to HI, at which guidance is active; elsewhere it costs"
              + " nothing.",
          "all levels",
          s -> s.guidance().interval().toString(),
          (d, v) -> d.interval(GuidanceInterval.parse((String) v)),
          SPARSE);

  private static final String SCHEDULES = "karras|uniform-lambda|align-your-steps:FILE";

  private static final String SCHEDULE =
      "How the noise levels are spaced: by --rho_{stage}, by equal ratios, or as the falling levels"
          + " in a text file, interpolated to --num_steps_{stage}.";

  private static final List<StageOption> FROM_NOISE =
      joined(
          List.of(
              edm(
                  "solver",
                  Kind.TEXT,
                  "NAME",
                  "Solver: how images are computed from the network's predictions.",
                  EdmOptions::solver,
                  (b, v) -> b.solver((String) v),
                  SPARSE),
              edm(
                  "num_steps",
                  Kind.INTEGER,
                  "N",
                  "Number of noise levels, at least 2.",
                  EdmOptions::numSteps,
                  (b, v) -> b.numSteps((int) v),
                  Traits.NONE),
              edm(
                  "sigma_min",
                  Kind.NUMBER,
                  "X",
                  "Lowest noise level, above 0 (pixel values range from -1 to 1).",
                  EdmOptions::sigmaMin,
                  (b, v) -> b.sigmaMin((double) v),
                  ABOVE_ZERO),
              edm(
                  "sigma_max",
                  Kind.NUMBER,
                  "X",
                  "Highest noise level, above --sigma_min_{stage}.",
                  EdmOptions::sigmaMax,
                  (b, v) -> b.sigmaMax((double) v),
                  Traits.NONE),
              edm(
                  "rho",
                  Kind.NUMBER,
                  "X",
                  "Exponent of the noise schedule, above 0; higher values give more steps at low"
                      + " levels.",
                  EdmOptions::rho,
                  (b, v) -> b.rho((double) v),
                  Traits.NONE),
              edm(
                  "schedule",
                  Kind.TEXT,
                  SCHEDULES,
                  SCHEDULE,
                  o -> o.schedule().toString(),
                  (b, v) -> b.schedule(LevelSchedule.parse((String) v)),
                  SPARSE),
              GUIDANCE,
              INTERVAL,
              edm(
                  "sde_scale",
                  Kind.NUMBER,
                  "X",
                  "Fraction of the noise that is replaced in each step, 0 to 1; guidance has no effect"
                      + " in this sampler. Only heun uses it.",
                  o -> o.sdeScale().isPresent() ? (Double) o.sdeScale().getAsDouble() : null,
                  (b, v) -> b.sdeScale((double) v),
                  Traits.NONE)),
          churn(
              "Total amount of noise added in the steps (churn), at least 0. Only heun and euler use"
                  + " it."));

  private static final List<StageOption> RELAY =
      joined(
          List.of(
              relay(
                  "solver",
                  "solver",
                  Kind.TEXT,
                  "NAME",
                  "Solver: how images are computed from the network's predictions.",
                  RelayOptions::solver,
                  (b, v) -> b.solver((String) v),
                  SPARSE),
              relay(
                  "num_steps",
                  "num_steps",
                  Kind.INTEGER,
                  "N",
                  "Number of noise levels, at least 2, including those above"
                      + " --truncation_sigma_{stage}.",
                  RelayOptions::numSteps,
                  (b, v) -> b.numSteps((int) v),
                  Traits.NONE),
              relay(
                  "sigma_min",
                  "sigma_min",
                  Kind.NUMBER,
                  "X",
                  "Lowest noise level, above 0 and below --truncation_sigma_{stage}.",
                  RelayOptions::sigmaMin,
                  (b, v) -> b.sigmaMin((double) v),
                  ABOVE_ZERO),
              relay(
                  "sigma_max",
                  "sigma_max",
                  Kind.NUMBER,
                  "X",
                  "Highest noise level of the complete schedule, above --sigma_min_{stage}.",
                  RelayOptions::sigmaMax,
                  (b, v) -> b.sigmaMax((double) v),
                  Traits.NONE),
              relay(
                  "rho",
                  "rho",
                  Kind.NUMBER,
                  "X",
                  "Exponent of the noise schedule, above 0.",
                  RelayOptions::rho,
                  (b, v) -> b.rho((double) v),
                  Traits.NONE),
              relay(
                  "schedule",
                  "schedule",
                  Kind.TEXT,
                  SCHEDULES,
                  SCHEDULE,
                  o -> o.schedule().toString(),
                  (b, v) -> b.schedule(LevelSchedule.parse((String) v)),
                  SPARSE),
              GUIDANCE,
              INTERVAL,
              relay(
                  "up_scale",
                  "up_scale",
                  Kind.INTEGER,
                  "N",
                  "Side of a blur patch and of a noise block in pixels, at least 2; must divide the"
                      + " resolution.",
                  RelayOptions::upScale,
                  (b, v) -> b.upScale((int) v),
                  new Traits(false, false, 2, false)),
              relay(
                  "truncation_sigma",
                  "truncation_sigma",
                  Kind.NUMBER,
                  "X",
                  "Noise level below which the relay starts, above 0.",
                  RelayOptions::truncationSigma,
                  (b, v) -> b.truncationSigma((double) v),
                  Traits.NONE),
              relay(
                  "truncation_t",
                  "truncation_t",
                  Kind.NUMBER,
                  "X",
                  "Position on the blur schedule at which the relay starts, above 0.",
                  RelayOptions::truncationT,
                  (b, v) -> b.truncationT((double) v),
                  Traits.NONE),
              relay(
                  "s_block",
                  "block_noise",
                  Kind.NUMBER,
                  "X",
                  "Strength of the block noise relative to the noise, at least 0.",
                  RelayOptions::blockNoise,
                  (b, v) -> b.blockNoise((double) v),
                  Traits.NONE),
              relay(
                  "s_noise",
                  "noise",
                  Kind.NUMBER,
                  "X",
                  "Fraction of new noise in each step, 0 to 1; relay-2m ignores it.",
                  RelayOptions::noise,
                  (b, v) -> b.noise((double) v),
                  Traits.NONE),
              relay(
                  "blur_sigma_max",
                  "blur_sigma_max",
                  Kind.NUMBER,
                  "X",
                  "Standard deviation of the strongest blur in pixels, at least 0.",
                  RelayOptions::blurSigmaMax,
                  (b, v) -> b.blurSigmaMax((double) v),
                  Traits.NONE)),
          churn(
              "Total amount of noise added in the steps of relay (churn), at least 0; it reaches the"
                  + " image only through the network."));

  private StageOptionTable() {}

  private static List<StageOption> joined(List<StageOption> some, List<StageOption> more) {
    return Stream.concat(some.stream(), more.stream()).toList();
  }

  /** Returns the options of churn, with a description of their amount. */
  private static List<StageOption> churn(String amount) {
    return List.of(
        churn(
            "S_churn",
            "churn.amount",
            amount,
            Churn::amount,
            (c, v) -> new Churn(v, c.min(), c.max(), c.noise())),
        churn(
            "S_min",
            "churn.min",
            "Lowest noise level with added noise, at least 0.",
            Churn::min,
            (c, v) -> new Churn(c.amount(), v, c.max(), c.noise())),
        churn(
            "S_max",
            "churn.max",
            "Highest noise level with added noise, at least 0 or inf.",
            Churn::max,
            (c, v) -> new Churn(c.amount(), c.min(), v, c.noise())),
        churn(
            "S_noise",
            "churn.noise",
            "Standard deviation of the added noise.",
            Churn::noise,
            (c, v) -> new Churn(c.amount(), c.min(), c.max(), v)));
  }

  private static StageOption edm(
      String name,
      Kind kind,
      String label,
      String description,
      Function<EdmOptions, @Nullable Object> reader,
      BiConsumer<EdmOptions.Builder, Object> writer,
      Traits traits) {
    return new StageOption(
        name,
        name,
        kind,
        label,
        description,
        "",
        s -> reader.apply((EdmOptions) s.solver()),
        (d, v) -> writer.accept(d.edm(), v),
        traits);
  }

  private static StageOption relay(
      String name,
      String key,
      Kind kind,
      String label,
      String description,
      Function<RelayOptions, @Nullable Object> reader,
      BiConsumer<RelayOptions.Builder, Object> writer,
      Traits traits) {
    return new StageOption(
        name,
        key,
        kind,
        label,
        description,
        "",
        s -> reader.apply((RelayOptions) s.solver()),
        (d, v) -> writer.accept(d.relay(), v),
        traits);
  }

  private static StageOption churn(
      String name,
      String key,
      String description,
      Function<Churn, Double> reader,
      BiFunction<Churn, Double, Churn> change) {
    return new StageOption(
        name,
        key,
        Kind.NUMBER,
        "X",
        description,
        "",
        s ->
            switch (s.solver()) {
              case EdmOptions edm -> reader.apply(edm.churn());
              case RelayOptions relay -> relay.churn().map(reader).orElse(null);
            },
        (d, v) -> d.churn(name.equals("S_churn"), c -> change.apply(c, (Double) v)),
        BARE);
  }

  /** Returns the options of a stage, in the order of the documentation. */
  public static List<StageOption> of(SolverOptions solver) {
    return switch (solver) {
      case EdmOptions _ -> FROM_NOISE;
      case RelayOptions _ -> RELAY;
    };
  }

  /**
   * Returns the values of options under their names in JSON, groups as maps; those that do not
   * apply are left out.
   */
  public static Map<String, Object> values(StageOptions options) {
    StageOptions defaults = Preset.GENERATE.stage(options.solver().startsFromNoise() ? 0 : 1);
    Map<String, Object> values = new LinkedHashMap<>();
    for (StageOption option : of(options.solver())) {
      Object value = option.of(options);
      if (value != null && !(option.traits().sparse() && value.equals(option.of(defaults)))) {
        put(values, option.key(), value);
      }
    }
    return values;
  }

  /**
   * Reads options from values under their names in JSON, as {@link #values} returns them. The
   * values may come from an untrusted file.
   *
   * @param values groups as maps, and an infinity as the string "Infinity" or "-Infinity"
   * @param defaults the options that are not among the values
   * @throws org.relaydiffusion.OptionException naming the option in JSON that is unknown, of
   *     another type, or out of range
   */
  public static StageOptions read(
      Map<String, ? extends @Nullable Object> values, StageOptions defaults) {
    return new StageOptionReader(defaults).read(values);
  }

  @SuppressWarnings("unchecked") // Groups are put as maps only.
  private static void put(Map<String, Object> values, String key, Object value) {
    int dot = key.indexOf('.');
    if (dot < 0) {
      values.put(key, value);
    } else {
      put(
          (Map<String, Object>)
              values.computeIfAbsent(key.substring(0, dot), _ -> new LinkedHashMap<>()),
          key.substring(dot + 1),
          value);
    }
  }
}
