// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.SolverOptions;

/** The table of solvers: those of this module, and those that other modules provide. */
public final class Solvers {
  private static final Set<String> SDE_SCALE = Set.of("sde_scale");
  private static final Set<String> CHURN = Set.of("S_churn", "S_min", "S_max", "S_noise");
  private static final Set<String> CHURN_AND_NOISE =
      Set.of("S_churn", "S_min", "S_max", "S_noise", "s_noise");
  private static final Set<String> CHURN_AND_SDE_SCALE =
      Set.of("S_churn", "S_min", "S_max", "S_noise", "sde_scale");

  private static final List<SolverProvider> OWN =
      List.of(
          row(
              "heun",
              "Heun's 2nd-order method of EDM; the stochastic one of CelebA-HQ with sde_scale",
              EdmOptions.class,
              Set.of(),
              HeunSolver::of),
          row(
              "euler",
              "Euler's 1st-order method, with churn; DDIM without",
              EdmOptions.class,
              SDE_SCALE,
              EulerSolver::new),
          row(
              "dpmpp-2m",
              "DPM-Solver++(2M), a 2nd-order multistep method",
              EdmOptions.class,
              CHURN_AND_SDE_SCALE,
              DpmPlusPlus2mSolver::new),
          row(
              "dpmpp-3m",
              "DPM-Solver++(3M), a 3rd-order multistep method",
              EdmOptions.class,
              CHURN_AND_SDE_SCALE,
              DpmPlusPlus3mSolver::new),
          row(
              "sde-dpmpp-2m",
              "SDE-DPM-Solver++(2M), a stochastic multistep method of weak order 2",
              EdmOptions.class,
              CHURN_AND_SDE_SCALE,
              SdeDpmPlusPlus2mSolver::new),
          row(
              "unipc",
              "UniPC, a 2nd-order multistep method with a corrector of order 3",
              EdmOptions.class,
              CHURN_AND_SDE_SCALE,
              UniPcSolver::new),
          row(
              "relay",
              "the reference's 2nd-order relay",
              RelayOptions.class,
              Set.of(),
              RelaySolver::new),
          row(
              "relay-2m",
              "multistep relay of 2nd order with one call a step; deterministic",
              RelayOptions.class,
              CHURN_AND_NOISE,
              RelayMultistepSolver::deterministic),
          row(
              "relay-sde-2m",
              "the same, with new noise in each step",
              RelayOptions.class,
              CHURN,
              RelayMultistepSolver::stochastic));

  private Solvers() {}

  private record Row<O extends SolverOptions>(
      String name,
      String description,
      Class<O> options,
      Set<String> unused,
      Function<O, Solver> maker)
      implements SolverProvider {
    @Override
    public Solver create(SolverOptions values) {
      return maker.apply(options.cast(values));
    }
  }

  private static <O extends SolverOptions> SolverProvider row(
      String name,
      String description,
      Class<O> options,
      Set<String> unused,
      Function<O, Solver> maker) {
    return new Row<>(name, description, options, unused, maker);
  }

  /** Returns all solvers, those of this module first. */
  public static List<SolverProvider> all() {
    List<SolverProvider> all = new ArrayList<>(OWN);
    ServiceLoader.load(SolverProvider.class, SolverProvider.class.getClassLoader())
        .forEach(all::add);
    return all;
  }

  /** Returns the names of the solvers that take this kind of options. */
  public static List<String> names(Class<? extends SolverOptions> kind) {
    return all().stream().filter(p -> p.options() == kind).map(SolverProvider::name).toList();
  }

  /**
   * Creates the solver that is named by its options.
   *
   * @throws OptionException if there is none of this name, or it takes other options
   */
  public static Solver of(SolverOptions options) {
    return provider(options).create(options);
  }

  /**
   * Requires that the solver named by the options uses one of them.
   *
   * @param option its name in {@link org.relaydiffusion.diffusion.StageOptionTable}
   * @throws OptionException if it does not, naming the solvers that do; or if there is no solver of
   *     this name, or it takes other options
   */
  public static void requireUsed(SolverOptions options, String option) {
    if (provider(options).unused().contains(option)) {
      String users =
          all().stream()
              .filter(p -> p.options().isInstance(options) && !p.unused().contains(option))
              .map(SolverProvider::name)
              .collect(Collectors.joining(", "));
      throw new OptionException(
          "%s must be left out: the solver %s does not use it, only %s"
              .formatted(option, options.solver(), users));
    }
  }

  private static SolverProvider provider(SolverOptions options) {
    SolverProvider provider =
        all().stream()
            .filter(p -> p.name().equals(options.solver()))
            .findFirst()
            .orElseThrow(() -> unknown(options));
    if (!provider.options().isInstance(options)) {
      throw new OptionException(
          "solver must be %s for a stage that starts from %s, but is %s"
              .formatted(
                  choices(options),
                  options.startsFromNoise() ? "noise" : "images",
                  options.solver()));
    }
    return provider;
  }

  private static OptionException unknown(SolverOptions options) {
    return new OptionException(
        "solver must be %s, but is '%s'"
            .formatted(choices(options), Printable.of(options.solver())));
  }

  private static String choices(SolverOptions options) {
    return names(options.getClass()).stream().collect(Collectors.joining(", "));
  }
}
