// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/** A {@link DoctorReport} in words. */
final class DoctorFacts {
  private DoctorFacts() {}

  static SequencedMap<String, String> of(DoctorReport report) {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    DoctorReport.JavaRuntime java = report.java();
    facts.put("Java", "%s %s (%s)".formatted(java.vendor(), java.version(), java.vm()));
    facts.put("Java home", java.home().toString());
    facts.put("Java heap", "at most " + size(java.maxHeapBytes()));
    machine(facts, report.machine());
    switch (report.libTorch()) {
      case DoctorReport.Loaded loaded -> libTorch(facts, loaded);
      case DoctorReport.NotLoaded(String reason) -> facts.put("LibTorch", "none: " + reason);
    }
    cache(facts, report.cache());
    cuda(facts, report.cuda());
    installations(facts, report);
    return facts;
  }

  private static void machine(SequencedMap<String, String> facts, DoctorReport.Machine machine) {
    facts.put("System", machine.os() + ", " + machine.architecture());
    facts.put("CPU", machine.cpu());
    if (!machine.cpuFeatures().isEmpty()) {
      facts.put("CPU features", String.join(" ", machine.cpuFeatures()));
    }
    facts.put(
        "Cores",
        machine.usableCores()
            + (machine.cores().isPresent() && machine.cores().getAsInt() != machine.usableCores()
                ? " of " + machine.cores().getAsInt()
                : ""));
    boolean limited =
        machine.memoryBytes().isPresent()
            && machine.memoryBytes().getAsLong() > machine.usableMemoryBytes();
    facts.put(
        "Memory",
        size(machine.usableMemoryBytes())
            + (limited ? " of " + size(machine.memoryBytes().getAsLong()) : ""));
  }

  private static void libTorch(SequencedMap<String, String> facts, DoctorReport.Loaded libTorch) {
    facts.put("LibTorch", libTorch.version() + " from " + libTorch.origin());
    facts.put("LibTorch path", libTorch.path().toString());
    facts.put(
        "LibTorch files",
        libTorch.files().stream()
            .map(f -> f.getFileName().toString())
            .collect(Collectors.joining(" ")));
    libTorch.cpuCapability().ifPresent(c -> facts.put("CPU kernels", c + override(libTorch)));
    facts.put("Threads", Integer.toString(libTorch.threads()));
    DoctorReport.Waiting waiting = libTorch.waiting();
    String variables =
        waiting.variables().entrySet().stream()
            .map(e -> e.getKey() + "=" + e.getValue())
            .collect(Collectors.joining(" "));
    facts.put(
        "Threads wait",
        variables.isEmpty()
            ? "as OpenMP has it"
            : variables + (waiting.byUser() ? " (from the environment)" : " (chosen by rdm)"));
    DoctorReport.Blas blas = libTorch.blas();
    String blasThreads =
        blas.openBlasThreads().isPresent()
            ? ", threads of its own: " + blas.openBlasThreads().getAsInt()
            : "";
    facts.put(
        "BLAS",
        blas.mkl()
            .or(() -> blas.openBlas().map(o -> o + blasThreads))
            .or(() -> blas.file().map(f -> f + " (slow, unless it is an optimised one)"))
            .orElse("unknown"));
    blas.oneDnn().ifPresent(o -> facts.put("oneDNN", o));
  }

  private static void cache(SequencedMap<String, String> facts, DoctorReport.LibraryCache cache) {
    facts.put(
        "Library cache",
        cache
            .folder()
            .map(f -> "%s, %s, from %s".formatted(f, size(cache.bytes()), cache.origin()))
            .orElse("none: " + cache.origin()));
    if (!cache.unused().isEmpty()) {
      facts.put(
          "Other versions",
          cache.unused().stream()
                  .map(u -> "%s, %s".formatted(u.folder(), size(u.bytes())))
                  .collect(Collectors.joining("; "))
              + " (may be deleted if no other installation of rdm uses them)");
    }
  }

  private static String override(DoctorReport.Loaded libTorch) {
    Optional<String> variable = libTorch.cpuCapabilityVariable();
    return variable.map(v -> " (ATEN_CPU_CAPABILITY=" + v + ")").orElse("");
  }

  private static void cuda(SequencedMap<String, String> facts, DoctorReport.Cuda cuda) {
    facts.put("CUDA", cuda.whyUnusable().map(w -> "not usable: " + w).orElse("usable"));
    cuda.driver().ifPresent(d -> facts.put("CUDA driver", "for CUDA up to " + d));
    for (DoctorReport.CudaDevice d : cuda.devices()) {
      facts.put(
          "cuda:" + d.index(),
          "%s, %s, compute capability %s"
              .formatted(d.name(), size(d.memoryBytes()), d.computeCapability()));
    }
  }

  private static void installations(SequencedMap<String, String> facts, DoctorReport report) {
    int number = 1;
    for (DoctorReport.Installation found : report.installations()) {
      facts.put("Installation " + number++, installation(found));
    }
    advice(report).ifPresent(a -> facts.put("To use a GPU", a));
  }

  private static String installation(DoctorReport.Installation found) {
    String what =
        "LibTorch %s, %s"
            .formatted(
                found.version().orElse("of unknown version"),
                found.withCuda() ? "CUDA" + found.cuda().map(c -> " " + c).orElse("") : "no CUDA");
    if (found.inUse()) {
      return "%s, in use: %s".formatted(what, found.folder());
    }
    if (found.whyUnusable().isPresent()) {
      return "%s, not usable (%s): %s".formatted(what, found.whyUnusable().get(), found.folder());
    }
    String limit = found.withCuda() ? found.whyNoGpu().map(w -> " (" + w + ")").orElse("") : "";
    return what + limit + ": " + found.selection();
  }

  /** Where there is a GPU, but a LibTorch that cannot use it. */
  private static Optional<String> advice(DoctorReport report) {
    if (report.cuda().whyUnusable().isEmpty() || report.cuda().devices().isEmpty()) {
      return Optional.empty();
    }
    return report.installations().stream()
        .filter(found -> found.isForGpus() && !found.inUse())
        .findFirst()
        .map(DoctorReport.Installation::selection)
        .or(() ->
            Optional.of(
                "install PyTorch %s or newer with CUDA, as with 'pip install torch', and run this"
                        .formatted(LibTorch.OLDEST)
                    + " command again"));
  }

  private static String size(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }
}
