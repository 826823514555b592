// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.SolverOptions;

/** The table of solvers: those of this module, and those that other modules provide. */
public final class Solvers {
  private static final List<SolverProvider> OWN =
      List.of(
          row(
              "heun",
              "Heun's 2nd-order method of EDM; the stochastic one of CelebA-HQ with sde_scale",
              EdmOptions.class,
              HeunSolver::of),
          row("relay", "the reference's 2nd-order relay", RelayOptions.class, RelaySolver::new),
          row(
              "relay-2m",
              "multistep relay of 2nd order with one call a step; deterministic",
              RelayOptions.class,
              RelayMultistepSolver::deterministic),
          row(
              "relay-sde-2m",
              "the same, with new noise in each step",
              RelayOptions.class,
              RelayMultistepSolver::stochastic));

  private Solvers() {}

  private record Row<O extends SolverOptions>(
      String name, String description, Class<O> options, Function<O, Solver> maker)
      implements SolverProvider {
    @Override
    public Solver create(SolverOptions values) {
      return maker.apply(options.cast(values));
    }
  }

  private static <O extends SolverOptions> SolverProvider row(
      String name, String description, Class<O> options, Function<O, Solver> maker) {
    return new Row<>(name, description, options, maker);
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
    return provider.create(options);
  }

  private static OptionException unknown(SolverOptions options) {
    return new OptionException(
        "solver must be %s, but is '%s'".formatted(choices(options), options.solver()));
  }

  private static String choices(SolverOptions options) {
    return names(options.getClass()).stream().collect(Collectors.joining(", "));
  }
}
