package org.relaydiffusion.launch.process;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Starts a rank as one more JVM like this one: the same Java, the same flags, the same modules.
 *
 * @param java the program
 * @param flags for the JVM
 * @param main what it runs: a class, or {@code -m module/class}
 */
record JavaCommand(Path java, List<String> flags, List<String> main) implements WorkerCommand {
  /**
   * Variables whose content is among a JVM's flags, and so is handed on by them: a rank that found
   * them in its environment too would take each flag twice.
   */
  static final Set<String> FLAG_VARIABLES =
      Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS");

  private static final String TERMINAL = "-Drdm.terminal=";

  /** A JVM like this one, which runs {@code main}. */
  static JavaCommand likeThisJvm(Class<?> main) {
    return new JavaCommand(
        Path.of(System.getProperty("java.home"), "bin", "java"),
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(JavaCommand::isForEveryRank)
            .toList(),
        main(main));
  }

  /** Not the debugger, whose port only one process can have, and not what differs by rank. */
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
