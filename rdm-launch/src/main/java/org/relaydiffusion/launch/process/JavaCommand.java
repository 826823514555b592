// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Starts a rank as a JVM with the same Java, flags and modules as this one.
 *
 * @param java the program
 * @param flags for the JVM
 * @param main the main class, or {@code -m module/class}
 */
record JavaCommand(Path java, List<String> flags, List<String> main) implements WorkerCommand {
  /**
   * Variables that contain JVM flags, which are already passed on the command line: a rank that
   * also inherited the variables would apply each flag twice.
   */
  static final Set<String> FLAG_VARIABLES =
      Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS");

  private static final String TERMINAL = "-Drdm.terminal=";

  /** Returns the command for a JVM like this one that runs {@code main}. */
  static JavaCommand likeThisJvm(Class<?> main) {
    return new JavaCommand(
        Path.of(System.getProperty("java.home"), "bin", "java"),
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(JavaCommand::isForEveryRank)
            .toList(),
        main(main));
  }

  /** Excludes the debugger, whose port only one process can use, and flags that differ by rank. */
  private static boolean isForEveryRank(String flag) {
    return !flag.startsWith("-agentlib:jdwp")
        && !flag.startsWith("-Xrunjdwp")
        && !flag.startsWith(TERMINAL);
  }

  private static List<String> main(Class<?> main) {
    List<String> line = new ArrayList<>();
    String classPath = System.getProperty("java.class.path", "");
    if (!classPath.isEmpty()) {
      line.add("--class-path");
      line.add(classPath);
    }
    Module module = main.getModule();
    if (module.isNamed()) {
      line.add("-m");
      line.add(module.getName() + "/" + main.getName());
    } else {
      line.add(main.getName());
    }
    return List.copyOf(line);
  }

  @Override
  public List<String> line(List<String> arguments, Display display) {
    List<String> line = new ArrayList<>();
    line.add(java.toString());
    line.addAll(flags);
    line.add(TERMINAL + (display == Display.LIVE));
    line.addAll(main);
    line.addAll(arguments);
    return line;
  }
}
