// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.Set;
import org.relaydiffusion.diffusion.SolverOptions;

/**
 * Makes a solver known by its name. A solver of another module is registered as a service of this
 * type ({@link java.util.ServiceLoader}): by {@code provides} in its {@code module-info}, or by a
 * file {@code META-INF/services/org.relaydiffusion.diffusion.sampler.SolverProvider} on the class
 * path. It can then be chosen as {@code --solver_first=NAME}.
 */
public interface SolverProvider {
  /** Returns the name in options, in lower case, such as {@code heun}. */
  String name();

  /** Returns one line that describes the solver, for help and documentation. */
  String description();

  /**
   * Returns the kind of its options: {@link org.relaydiffusion.diffusion.EdmOptions} if it starts
   * from noise, {@link org.relaydiffusion.diffusion.RelayOptions} if it starts from images.
   */
  Class<? extends SolverOptions> options();

  /**
   * Returns the names of the options of its kind, as in {@link
   * org.relaydiffusion.diffusion.StageOptionTable}, that it does not use. A command line may not
   * change them; those of a preset are ignored.
   */
  default Set<String> unused() {
    return Set.of();
  }

  /**
   * Creates the solver.
   *
   * @param options of the kind {@link #options()}
   * @throws org.relaydiffusion.OptionException if they do not fit the solver
   */
  Solver create(SolverOptions options);
}
