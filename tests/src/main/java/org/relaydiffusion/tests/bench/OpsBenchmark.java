// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * What a call costs, on float32[8]: through these bindings, through JavaCPP, and as the C function
 * itself, all in the same LibTorch. Result and its end included. Every round runs all of them, each
 * in a JVM of its own and a call's three one after the other, so that a machine that slows down
 * slows all; the figures are medians over the rounds, of times and of ratios within a round. The
 * heap is what a call allocates there, results included.
 *
 * <p>Arguments: {@code [rounds] [call...]}; 3 rounds of all calls when left out.
 */
public final class OpsBenchmark {
  /** What our calls are compared with by the same name, or by this one. */
  private static final Map<String, String> COMPARED =
      Map.of("addInScope", "add", "mulInScope", "mul", "siluInScope", "silu");

  private static final List<String> CALLS =
      List.of(
          "add",
          "addInScope",
          "addNumber",
          "addInPlace",
          "mul",
          "mulInScope",
          "mulNumber",
          "mulInPlace",
          "silu",
          "siluInScope",
          "reshape",
          "toSameType",
          "toSameDevice",
          "item",
          "memory",
          "memoryInScope",
          "shape",
          "dtype",
          "device");

  /** One call's three ways in one round; JavaCPP or C may have no such call. */
  private record Round(Cost ours, OptionalDouble javaCpp, OptionalDouble bare) {}

  /** Nanoseconds and bytes of heap a call. */
  private record Cost(double nanos, double bytes) {}

  private OpsBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) throws RunnerException {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 3;
    List<String> calls = args.length > 1 ? List.of(args).subList(1, args.length) : CALLS;
    Map<String, List<Round>> measured = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      for (String call : calls) {
        measured.computeIfAbsent(call, _ -> new ArrayList<>()).add(round(call));
      }
      System.out.printf("round %s of %s is done%n", round + 1, rounds);
    }
    print(measured);
  }

  private static Round round(String call) throws RunnerException {
    String compared = COMPARED.getOrDefault(call, call);
    Cost ours =
        cost(OpsOurs.class, call)
            .orElseThrow(() -> new IllegalStateException("the call '%s' failed".formatted(call)));
    return new Round(ours, nanos(OpsJavaCpp.class, compared), nanos(OpsBare.class, compared));
  }

  private static OptionalDouble nanos(Class<?> way, String call) throws RunnerException {
    return cost(way, call).map(c -> OptionalDouble.of(c.nanos)).orElse(OptionalDouble.empty());
  }

  /** The medians over the iterations of one JVM, or nothing where that way has no such call. */
  private static Optional<Cost> cost(Class<?> way, String call) throws RunnerException {
    boolean there =
        List.of(way.getDeclaredMethods()).stream().anyMatch(m -> m.getName().equals(call));
    if (!there) {
      return Optional.empty();
    }
    List<IterationResult> iterations = new ArrayList<>();
    for (RunResult result : new Runner(options(way, call)).run()) {
      result.getBenchmarkResults().forEach(b -> iterations.addAll(b.getIterationResults()));
    }
    if (iterations.isEmpty()) {
      throw new IllegalStateException("%s of %s failed".formatted(call, way.getSimpleName()));
    }
    return Optional.of(
        new Cost(
            median(iterations, i -> i.getPrimaryResult().getScore()),
            median(
                iterations,
                i ->
                    requireNonNull(i.getSecondaryResults().get("gc.alloc.rate.norm")).getScore())));
  }

  private static Options options(Class<?> way, String call) {
    return new OptionsBuilder()
        .include("\\.%s\\.%s$".formatted(way.getSimpleName(), call))
        .addProfiler(GCProfiler.class)
        .forks(1)
        .jvmArgs("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")
        .warmupIterations(4)
        .warmupTime(TimeValue.milliseconds(400))
        .measurementIterations(7)
        .measurementTime(TimeValue.milliseconds(200))
        .timeUnit(TimeUnit.NANOSECONDS)
        .verbosity(VerboseMode.SILENT)
        .build();
  }

  private static void print(Map<String, List<Round>> measured) {
    System.out.printf(
        "%-14s %9s %10s %10s %15s %14s %8s%n",
        "call", "ours", "JavaCPP", "C", "ours / JavaCPP", "ours / C", "heap");
    measured.forEach((call, rounds) ->
        System.out.printf(
            Locale.ROOT,
            "%-14s %6.0f ns %10s %10s %15s %14s %6.0f B%n",
            call,
            median(rounds, r -> r.ours.nanos),
            nanos(rounds.stream().map(Round::javaCpp).toList()),
            nanos(rounds.stream().map(Round::bare).toList()),
            ratio(rounds.stream().map(r -> over(r.ours, r.javaCpp)).toList()),
            ratio(rounds.stream().map(r -> over(r.ours, r.bare)).toList()),
            median(rounds, r -> r.ours.bytes)));
  }

  /** Within one round: a machine that changes its speed between rounds changes no ratio. */
  private static OptionalDouble over(Cost ours, OptionalDouble other) {
    return other.isPresent()
        ? OptionalDouble.of(ours.nanos / other.getAsDouble())
        : OptionalDouble.empty();
  }

  private static String nanos(List<OptionalDouble> values) {
    return format("%.0f ns", values);
  }

  private static String ratio(List<OptionalDouble> values) {
    return format("%.2f", values);
  }

  private static String format(String format, List<OptionalDouble> values) {
    double[] there = values.stream().flatMapToDouble(OptionalDouble::stream).toArray();
    return there.length == 0
        ? "-"
        : String.format(Locale.ROOT, format, median(DoubleStream.of(there)));
  }

  private static <T> double median(List<T> list, ToDoubleFunction<T> value) {
    return median(list.stream().mapToDouble(value));
  }

  private static double median(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    return sorted[sorted.length / 2];
  }
}
