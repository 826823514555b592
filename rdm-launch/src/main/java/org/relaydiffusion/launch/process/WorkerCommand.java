// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.util.List;
import java.util.Map;

/** Provides the command line of a rank's process. */
@FunctionalInterface
public interface WorkerCommand {
  /** The final destination of a rank's standard error. */
  enum Display {
    /** A terminal, through the launcher: a status line may be redrawn. */
    LIVE,
    /** A file, or a terminal shared with other ranks. */
    PLAIN
  }

  /**
   * Returns the program and its arguments, as for {@link ProcessBuilder}.
   *
   * @param arguments the rdm command line that the rank runs: {@code train --outdir=...}
   * @param display the destination of its standard error
   */
  List<String> line(List<String> arguments, Display display);

  /**
   * Returns the command for ranks that are JVMs with the same Java, flags and modules as this one.
   *
   * @param main the main class
   */
  static WorkerCommand likeThisProcess(Class<?> main) {
    return JavaCommand.likeThisJvm(main);
  }

  /** Removes the variables with flags for Java, which are on the command line already. */
  static void removeFlags(Map<String, String> environment) {
    JavaCommand.FLAG_VARIABLES.forEach(environment::remove);
  }
}
