// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Determines properties of the Java runtime and the machine, from system properties and, on Linux,
 * {@code /proc}.
 */
final class HostProbe {
  private static final Path PROC = Path.of("/proc");
  private static final Path OS_RELEASE = Path.of("/etc/os-release");
  private static final Pattern MEMORY = Pattern.compile("MemTotal:\\s+(\\d+) kB");
  private static final Pattern NAME = Pattern.compile("PRETTY_NAME=\"?([^\"]*)\"?");
  // Vector and matrix extensions for which LibTorch, oneDNN or OpenBLAS have kernels; x86-64, then
  // Arm.
  private static final Pattern FEATURE =
      Pattern.compile(
          "avx|avx2|fma|f16c|avx_vnni|avx512(f|bw|dq|vl|_bf16|_fp16|_vnni)"
              + "|amx_(tile|bf16|int8|fp16)"
              + "|asimd|asimdhp|asimddp|bf16|i8mm|sve|sve2|svebf16|svei8mm|sme|sme2");

  private HostProbe() {}

  static DoctorReport.JavaRuntime javaRuntime() {
    return new DoctorReport.JavaRuntime(
        System.getProperty("java.vendor", "unknown"),
        System.getProperty("java.runtime.version", Runtime.version().toString()),
        System.getProperty("java.vm.name", "unknown"),
        Path.of(System.getProperty("java.home", "")),
        Runtime.getRuntime().maxMemory());
  }

  static DoctorReport.Machine machine() {
    String architecture = System.getProperty("os.arch", "unknown");
    List<String> cpu = lines(PROC.resolve("cpuinfo"));
    long cores = cpu.stream().filter(l -> l.startsWith("processor")).count();
    Runtime runtime = Runtime.getRuntime();
    return new DoctorReport.Machine(
        operatingSystem(),
        architecture,
        value(cpu, "model name").orElse(architecture),
        features(cpu),
        cores == 0 ? OptionalInt.empty() : OptionalInt.of((int) cores),
        runtime.availableProcessors(),
        memory(lines(PROC.resolve("meminfo"))),
        usableMemory());
  }

  /** Returns the relevant features in {@code /proc/cpuinfo}, in the order of that file. */
  static List<String> features(List<String> cpuInfo) {
    return value(cpuInfo, "flags").or(() -> value(cpuInfo, "Features")).stream()
        .flatMap(flags -> Arrays.stream(flags.split(" ")))
        .filter(FEATURE.asMatchPredicate())
        .toList();
  }

  /** Returns the physical memory in bytes, from {@code /proc/meminfo}. */
  static OptionalLong memory(List<String> memInfo) {
    return memInfo.stream()
        .map(MEMORY::matcher)
        .filter(Matcher::matches)
        .mapToLong(m -> Long.parseLong(m.group(1)) << 10)
        .findFirst();
  }

  private static long usableMemory() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean os
        ? os.getTotalMemorySize()
        : Runtime.getRuntime().maxMemory();
  }

  private static String operatingSystem() {
    String kernel = System.getProperty("os.name", "") + " " + System.getProperty("os.version", "");
    return lines(OS_RELEASE).stream()
        .map(NAME::matcher)
        .filter(Matcher::matches)
        .map(m -> m.group(1) + " (" + kernel + ")")
        .findFirst()
        .orElse(kernel);
  }

  private static Optional<String> value(List<String> cpuInfo, String key) {
    return cpuInfo.stream()
        .filter(l -> l.startsWith(key) && l.indexOf(':') >= 0)
        .map(l -> l.substring(l.indexOf(':') + 1).strip())
        .findFirst();
  }

  private static List<String> lines(Path file) {
    if (!Files.isReadable(file)) {
      return List.of();
    }
    try (Stream<String> lines = Files.lines(file)) {
      return lines.toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }
}
