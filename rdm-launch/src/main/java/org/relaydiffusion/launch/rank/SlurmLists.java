// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.OptionException;

/**
 * Slurm's compressed lists: of hosts, {@code gpu[003-005,9],login1}, and of tasks, {@code 4(x2),1}.
 */
final class SlurmLists {
  private static final String[] NODE_LISTS = {
    "SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"
  };
  private static final String[] TASK_LISTS = {"SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"};

  /**
   * A part of a name, or a bracket; of the latter the first number is used, including leading
   * zeros.
   */
  private static final Pattern PART =
      Pattern.compile("([^\\[\\],\\s]+)|\\[(\\d+)(?:-\\d+)?(?:,\\d+(?:-\\d+)?)*\\]");

  private static final Pattern TASKS = Pattern.compile("(\\d{1,6})(?:\\(x(\\d{1,6})\\))?");

  private SlurmLists() {}

  /**
   * Returns the host of rank 0 of this step.
   *
   * @throws OptionException if the list of hosts cannot be parsed
   */
  static Optional<String> firstHost(Map<String, String> environment) {
    for (String name : NODE_LISTS) {
      Optional<String> list = Variables.text(environment, name);
      if (list.isPresent()) {
        return Optional.of(firstHost(name, list.get()));
      }
    }
    return Optional.empty();
  }

  private static String firstHost(String variable, String list) {
    StringBuilder host = new StringBuilder();
    Matcher part = PART.matcher(list);
    int at = 0;
    while (at < list.length() && list.charAt(at) != ',') {
      if (!part.find(at) || part.start() != at) {
        throw new OptionException(
            "the environment variable %s must be a list of hosts, as in gpu[3-5],a1, but is '%s'"
                .formatted(variable, list));
      }
      host.append(part.group(1) == null ? part.group(2) : part.group(1));
      at = part.end();
    }
    if (host.isEmpty()) {
      throw new OptionException(
          "the environment variable %s names no host: '%s'".formatted(variable, list));
    }
    return host.toString();
  }

  /**
   * Returns the number of tasks of this step on this node, if Slurm provides it.
   *
   * @throws OptionException if the list cannot be parsed
   */
  static OptionalInt tasksOfThisNode(Map<String, String> environment) {
    int node = Variables.number(environment, "SLURM_NODEID", 0);
    for (String name : TASK_LISTS) {
      Optional<String> list = Variables.text(environment, name);
      if (list.isPresent()) {
        return OptionalInt.of(tasks(name, list.get(), node));
      }
    }
    return OptionalInt.empty();
  }

  private static int tasks(String variable, String list, int node) {
    int nodes = 0;
    for (String group : list.split(",", -1)) {
      Matcher matcher = TASKS.matcher(group);
      if (!matcher.matches()) {
        throw new OptionException(
            "the environment variable %s must be a list of numbers, as in 4(x2),1, but is '%s'"
                .formatted(variable, list));
      }
      nodes += matcher.group(2) == null ? 1 : Integer.parseInt(matcher.group(2));
      if (node < nodes) {
        return Integer.parseInt(matcher.group(1));
      }
    }
    throw new OptionException(
        "SLURM_NODEID=%s is out of range for %s=%s".formatted(node, variable, list));
  }
}
