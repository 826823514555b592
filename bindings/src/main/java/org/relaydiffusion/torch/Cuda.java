// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.nativeconfig.Doctor;
import org.relaydiffusion.nativeconfig.DoctorReport;
import org.relaydiffusion.nativeconfig.LibTorch;

/** Which CUDA devices can be computed on; looked at once, when the first of them is asked for. */
final class Cuda {
  /** Of its own class, so that it is looked at when LibTorch is loaded, not when that failed. */
  private static final class Found {
    static final DoctorReport.Cuda CUDA = Doctor.cuda();
  }

  private Cuda() {}

  private static DoctorReport.Cuda found() {
    LibTorch.load();
    return Found.CUDA;
  }

  /** How many can be computed on. */
  static int count() {
    DeviceSimulation simulation = DeviceSimulation.current();
    if (simulation != null) {
      return simulation.deviceCount();
    }
    if (!LibTorch.load().hasCuda()) {
      // Most builds have none, which is known without a look at the machine.
      return 0;
    }
    DoctorReport.Cuda found = found();
    return found.whyUnusable().isPresent() ? 0 : found.devices().size();
  }

  /** Refuses a device that is not there, with the reason. */
  static void require(Device device) {
    DeviceSimulation simulation = DeviceSimulation.current();
    if (simulation != null && device.index() < simulation.deviceCount()) {
      return;
    }
    DoctorReport.Cuda found = found();
    Optional<String> reason =
        found
            .whyUnusable()
            .or(() ->
                device.index() < found.devices().size()
                    ? Optional.empty()
                    : Optional.of("there are %s".formatted(found.devices().size())));
    if (reason.isPresent()) {
      throw new OptionException("device %s cannot be used: %s".formatted(device, reason.get()));
    }
  }
}
