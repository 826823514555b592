// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Examines everything that determines whether, and how fast, this project runs on this machine. */
public final class Doctor {
  private Doctor() {}

  /**
   * Examines the Java runtime, the machine, LibTorch (which is loaded, as by {@link
   * LibTorch#load()}) and the CUDA driver. Never throws: anything unavailable is reported with its
   * reason.
   */
  public static DoctorReport examine() {
    DoctorReport.LibTorchState state;
    Optional<LibTorch> used;
    try {
      LibTorch library = LibTorch.load();
      state = LibTorchProbe.examine(library);
      used = Optional.of(library);
    } catch (NativeLibraryException e) {
      state = new DoctorReport.NotLoaded(String.valueOf(e.getMessage()));
      used = Optional.empty();
    }
    return report(state, used);
  }

  private static DoctorReport report(DoctorReport.LibTorchState state, Optional<LibTorch> used) {
    DoctorReport.Cuda cuda = cuda();
    return new DoctorReport(
        HostProbe.javaRuntime(),
        HostProbe.machine(),
        CacheProbe.examine(),
        state,
        cuda,
        installations(InstallationSearch.ofThisProcess(), used.map(LibTorch::path), cuda.driver())
            .stream()
            .map(found -> told(found, used))
            .toList());
  }

  /**
   * Examines the CUDA driver and the CUDA part of LibTorch, which is loaded. Never throws: what is
   * unavailable is reported with its reason.
   */
  public static DoctorReport.Cuda cuda() {
    try {
      return cuda(LibTorch.load().whyNoCuda());
    } catch (NativeLibraryException e) {
      return cuda(Optional.of("LibTorch is not loaded"));
    }
  }

  /**
   * Lists what a search finds.
   *
   * @param used the file {@code libtorch_cpu} of this process, if there is one
   */
  static List<DoctorReport.Installation> installations(
      InstallationSearch search, Optional<Path> used, Optional<String> driver) {
    return search.folders().stream()
        .map(folder -> InstallationProbe.examine(folder, used.map(Path::getParent), driver))
        .toList();
  }

  /** The one in use tells its version itself, if its files do not. */
  private static DoctorReport.Installation told(
      DoctorReport.Installation found, Optional<LibTorch> used) {
    return found.inUse() && found.version().isEmpty()
        ? used.map(library -> found.withVersion(library.version().toString())).orElse(found)
        : found;
  }

  private static DoctorReport.Cuda cuda(Optional<String> noCudaHalf) {
    return switch (CudaDriver.examine()) {
      case CudaDriver.Found(String version, List<DoctorReport.CudaDevice> devices) ->
          new DoctorReport.Cuda(
              Optional.of(version),
              devices,
              noCudaHalf.or(() ->
                  devices.isEmpty() ? Optional.of("the driver has no device") : Optional.empty()));
      case CudaDriver.Absent(String reason) ->
          new DoctorReport.Cuda(
              Optional.empty(),
              List.of(),
              Optional.of(noCudaHalf.map(n -> n + "; ").orElse("") + reason));
    };
  }
}
