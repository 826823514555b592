// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.sampler.Solvers;
import org.relaydiffusion.torch.Device;

/**
 * What {@link SolverBenchmark} measures.
 *
 * @param pictures number of pictures of a set; 0 to leave out the scores
 * @param sets number of sets of pictures, which have different seeds
 * @param compared number of pictures that are compared with the long run's; 0 to leave that out
 * @param calls the largest numbers of network calls in a stage
 * @param pairs the solvers of both stages
 * @param device of the networks
 */
record SolverBenchmarkOptions(
    int pictures, int sets, int compared, List<Integer> calls, List<Pair> pairs, Device device) {
  private static final String DEFAULT_CALLS = "4,6,8,12,18,36,72";

  /** The solvers of the first and the second stage. */
  record Pair(String first, String second) {
    /** Returns whether there are solvers of these names. */
    boolean exists() {
      return Solvers.names(EdmOptions.class).contains(first)
          && Solvers.names(RelayOptions.class).contains(second);
    }

    /** Returns whether the first stage draws noise at its start only, if there is no churn. */
    boolean isDeterministic() {
      return !first.startsWith("sde-");
    }

    @Override
    public String toString() {
      return first + "+" + second;
    }

    private static Pair parse(String text) {
      String[] names = text.split("\\+", -1);
      if (names.length != 2) {
        throw new OptionException(
            "--solvers must be FIRST+SECOND,..., but contains '%s'".formatted(text));
      }
      return new Pair(names[0], names[1]);
    }
  }

  /** Parses the arguments of the program. */
  static SolverBenchmarkOptions parse(String[] args) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String arg : args) {
      String[] parts = arg.split("=", 2);
      if (parts.length != 2) {
        throw new OptionException("expected --NAME=VALUE, but found '%s'".formatted(arg));
      }
      values.put(parts[0], parts[1]);
    }
    SolverBenchmarkOptions options =
        new SolverBenchmarkOptions(
            number(values, "--pictures", 2048),
            Math.max(1, number(values, "--seeds", 3)),
            number(values, "--compared", 64),
            numbers("--calls", take(values, "--calls", DEFAULT_CALLS)),
            pairs(take(values, "--solvers", "")),
            Device.parse(take(values, "--device", "cpu")));
    if (!values.isEmpty()) {
      throw new OptionException("unknown option " + values.keySet().iterator().next());
    }
    return options;
  }

  private static String take(Map<String, String> values, String name, String otherwise) {
    String value = values.remove(name);
    return value == null ? otherwise : value;
  }

  private static int number(Map<String, String> values, String name, int otherwise) {
    List<Integer> numbers = numbers(name, take(values, name, Integer.toString(otherwise)));
    if (numbers.size() > 1) {
      throw new OptionException("%s must be one number, but is %s".formatted(name, numbers));
    }
    return numbers.getFirst();
  }

  private static List<Integer> numbers(String name, String text) {
    if (!text.matches("\\d{1,9}(,\\d{1,9})*")) {
      throw new OptionException("%s must be whole numbers, but is '%s'".formatted(name, text));
    }
    return Arrays.stream(text.split(",")).map(Integer::valueOf).toList();
  }

  /** Returns the named pairs; or the reference's, and those with a solver of this project. */
  private static List<Pair> pairs(String text) {
    if (!text.isEmpty()) {
      return Arrays.stream(text.split(",")).map(Pair::parse).toList();
    }
    Stream<Pair> firsts =
        Stream.of("dpmpp-2m", "dpmpp-3m", "unipc", "sde-dpmpp-2m")
            .map(f -> new Pair(f, "relay-2m"));
    Stream<Pair> others =
        Stream.of(
            new Pair("heun", "relay"),
            new Pair("heun", "relay-2m"),
            new Pair("heun", "relay-sde-2m"),
            new Pair("dpmpp-2m", "relay-sde-2m"));
    return Stream.concat(others, firsts).toList();
  }
}
