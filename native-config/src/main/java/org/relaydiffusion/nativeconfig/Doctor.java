// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

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
    DoctorReport.LibTorchState libTorch;
    Optional<String> noCudaHalf;
    try {
      LibTorch library = LibTorch.load();
      libTorch = LibTorchProbe.examine(library);
      noCudaHalf = library.whyNoCuda();
    } catch (NativeLibraryException e) {
      libTorch = new DoctorReport.NotLoaded(String.valueOf(e.getMessage()));
      noCudaHalf = Optional.of("LibTorch is not loaded");
    }
    return new DoctorReport(
        HostProbe.javaRuntime(),
        HostProbe.machine(),
        CacheProbe.examine(),
        libTorch,
        cuda(noCudaHalf));
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
