// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.launch.command.Converters;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Treats {@code _} and {@code -} as equal in the names of options and commands. Only known names
 * are normalized: values are kept unchanged, and unknown names are reported as typed.
 */
final class ArgumentNames {
  /** Alternative names of options in the official scripts and related tools. */
  private static final Map<String, String> SYNONYMS = synonyms();

  private ArgumentNames() {}

  private static Map<String, String> synonyms() {
    Map<String, String> synonyms = new HashMap<>();
    synonyms.put("--stages", "--sampler_stages");
    synonyms.put("--max_batch_size", "--batch");
    synonyms.put("--class_idx", "--class");
    StageNames.all().forEach(name -> synonyms.put("--steps_" + name, "--num_steps_" + name));
    return Map.copyOf(synonyms);
  }

  /** Returns the arguments with the names declared by {@code root} and its subcommands. */
  static List<String> normalise(List<String> arguments, CommandLine root) {
    List<String> result = new ArrayList<>(arguments.size());
    CommandLine command = root;
    boolean options = true;
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (!options || argument.equals("--")) {
        options = false;
        result.add(argument);
      } else if (argument.startsWith("--")) {
        String option = option(argument, command);
        if (i + 1 < arguments.size() && takesTruth(option, arguments.get(i + 1), command)) {
          i++;
          option += "=" + arguments.get(i);
        }
        result.add(option);
      } else {
        Optional<String> name = twin(argument, command.getSubcommands().keySet());
        result.add(name.orElse(argument));
        // The argument after 'help' is the name of another command of the same group.
        boolean isHelp = name.filter("help"::equals).isPresent();
        if (!isHelp) {
          command = name.map(command.getSubcommands()::get).orElse(command);
        }
      }
    }
    return result;
  }

  private static String option(String argument, CommandLine command) {
    int end = argument.indexOf('=');
    String name = end < 0 ? argument : argument.substring(0, end);
    String value = end < 0 ? "" : argument.substring(end);
    Set<String> known = command.getCommandSpec().optionsMap().keySet();
    String synonym = twin(name, SYNONYMS.keySet()).map(SYNONYMS::get).orElse(name);
    return twin(synonym, known).orElse(name) + value;
  }

  /**
   * Returns whether {@code next} is the value of an option with an optional value: picocli accepts
   * a separate argument as its value only if it is the word true or false.
   */
  private static boolean takesTruth(String option, String next, CommandLine command) {
    OptionSpec spec = command.getCommandSpec().optionsMap().get(option);
    return spec != null
        && spec.type() == boolean.class
        && spec.arity().min() == 0
        && spec.arity().max() == 1
        && Converters.isTruth(next);
  }

  private static Optional<String> twin(String name, Iterable<String> known) {
    String wanted = name.replace('-', '_');
    for (String candidate : known) {
      if (candidate.replace('-', '_').equals(wanted)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }
}
