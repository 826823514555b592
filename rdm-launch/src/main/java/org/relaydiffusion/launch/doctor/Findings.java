// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.doctor;

import java.util.List;
import org.relaydiffusion.nativeconfig.DoctorReport;

/**
 * The output of {@code rdm doctor --json}.
 *
 * @param java the Java runtime
 * @param machine the system, its processor and memory
 * @param cache the folder of the unpacked libraries
 * @param libTorch the loaded LibTorch, or the reason why none is loaded
 * @param cuda NVIDIA devices, or the reason why CUDA cannot be used
 * @param deviceChecks what came of trying each device; empty if none can be used
 * @param installations each LibTorch that was found on this machine
 */
public record Findings(
    DoctorReport.JavaRuntime java,
    DoctorReport.Machine machine,
    DoctorReport.LibraryCache cache,
    DoctorReport.LibTorchState libTorch,
    DoctorReport.Cuda cuda,
    List<DeviceCheck> deviceChecks,
    List<DoctorReport.Installation> installations) {
  static Findings of(DoctorReport report, List<DeviceCheck> checks) {
    return new Findings(
        report.java(),
        report.machine(),
        report.cache(),
        report.libTorch(),
        report.cuda(),
        checks,
        report.installations());
  }
}
