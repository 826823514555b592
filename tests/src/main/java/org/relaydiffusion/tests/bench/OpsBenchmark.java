package org.relaydiffusion.tests.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.DoubleStream;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * What a call of a small operator costs, on float32[8]: through this binding, inside a scope and
 * outside of any, beside JavaCPP's own call of the same operator of the same LibTorch. Result and
 * its end included. Every round runs all of them, each in a JVM of its own, so that a machine that
 * slows down slows all; the figures are medians over the rounds, of times and of ratios within a
 * round.
 *
 * <p>Arguments: {@code [rounds] [operator]}; 3 rounds of add, mul and silu when left out.
 */
public final class OpsBenchmark {
  private static final List<String> OPERATORS = List.of("add", "mul", "silu");

  private OpsBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) throws RunnerException {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 3;
    List<String> operators = args.length > 1 ? List.of(args[1]) : OPERATORS;
    List<Map<String, Double>> measured = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      measured.add(round(operators));
      System.out.printf("round %s of %s is done%n", round + 1, rounds);
    }
    print(operators, measured);
  }

  /** The median of each benchmark's iterations, in nanoseconds a call. */
  private static Map<String, Double> round(List<String> operators) throws RunnerException {
    Map<String, Double> medians = new LinkedHashMap<>();
    for (RunResult result : new Runner(options(operators)).run()) {
      String method = result.getParams().getBenchmark();
      medians.put(
          method.substring(method.lastIndexOf('.') + 1),
          median(
              result.getBenchmarkResults().stream()
                  .flatMap(b -> b.getIterationResults().stream())
                  .mapToDouble(i -> i.getPrimaryResult().getScore())));
    }
    return medians;
  }

  private static Options options(List<String> operators) {
    return new OptionsBuilder()
        .include(
            "\\.%s\\.(%s)[A-Z]"
                .formatted(OpsCalls.class.getSimpleName(), String.join("|", operators)))
        .forks(1)
        .jvmArgs("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")
        .warmupIterations(4)
        .warmupTime(TimeValue.milliseconds(500))
        .measurementIterations(5)
        .measurementTime(TimeValue.milliseconds(500))
        .timeUnit(TimeUnit.NANOSECONDS)
        .verbosity(VerboseMode.SILENT)
        .build();
  }

  private static void print(List<String> operators, List<Map<String, Double>> rounds) {
    System.out.printf(
        "%-9s %14s %14s %9s %16s %18s%n",
        "operator", "in a scope", "outside", "JavaCPP", "scope / JavaCPP", "outside / JavaCPP");
    for (String operator : operators) {
      System.out.printf(
          Locale.ROOT,
          "%-9s %11.0f ns %11.0f ns %6.0f ns %16.2f %18.2f%n",
          operator,
          median(rounds.stream().mapToDouble(r -> nanos(r, operator + "Scoped"))),
          median(rounds.stream().mapToDouble(r -> nanos(r, operator + "Single"))),
          median(rounds.stream().mapToDouble(r -> nanos(r, operator + "JavaCpp"))),
          median(rounds.stream().mapToDouble(r -> ratio(r, operator + "Scoped", operator))),
          median(rounds.stream().mapToDouble(r -> ratio(r, operator + "Single", operator))));
    }
  }

  /** Within one round: a machine that changes its speed between rounds changes no ratio. */
  private static double ratio(Map<String, Double> round, String ours, String operator) {
    return nanos(round, ours) / nanos(round, operator + "JavaCpp");
  }

  private static double nanos(Map<String, Double> round, String name) {
    Double nanos = round.get(name);
    if (nanos == null) {
      throw new IllegalStateException("the benchmark %s failed".formatted(name));
    }
    return nanos;
  }

  private static double median(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    return sorted[sorted.length / 2];
  }
}
