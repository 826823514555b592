package org.relaydiffusion.launch.process;

import java.util.List;

/** How a rank's process is started. */
@FunctionalInterface
public interface WorkerCommand {
  /** What a rank's standard error ends up on. */
  enum Display {
    /** A terminal, by way of the launcher: a status line may be written over. */
    LIVE,
    /** A file, or a terminal that other ranks write on too. */
    PLAIN
  }

  /**
   * The program and its arguments, as for {@link ProcessBuilder}.
   *
   * @param arguments the rdm command line that the rank runs: {@code train --outdir=...}
   * @param display what its standard error ends up on
   */
  List<String> line(List<String> arguments, Display display);

  /**
   * Ranks that are JVMs like this one: the same Java, the same flags, the same modules.
   *
   * @param main the class that they run
   */
  static WorkerCommand likeThisProcess(Class<?> main) {
    return JavaCommand.likeThisJvm(main);
  }
}
