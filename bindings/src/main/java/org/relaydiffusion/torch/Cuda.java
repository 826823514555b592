package org.relaydiffusion.torch;

import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.nativeconfig.Doctor;
import org.relaydiffusion.nativeconfig.DoctorReport;

/** Which CUDA devices can be computed on; looked at once, when the first of them is asked for. */
final class Cuda {
  private static final DoctorReport.Cuda FOUND = Doctor.examine().cuda();

  private Cuda() {}

  /** How many can be computed on. */
  static int count() {
    return FOUND.whyUnusable().isPresent() ? 0 : FOUND.devices().size();
  }

  /** Refuses a device that is not there, with the reason. */
  static void require(Device device) {
    Optional<String> reason =
        FOUND
            .whyUnusable()
            .or(() ->
                device.index() < FOUND.devices().size()
                    ? Optional.empty()
                    : Optional.of("there are %s".formatted(FOUND.devices().size())));
    if (reason.isPresent()) {
      throw new OptionException("device %s cannot be used: %s".formatted(device, reason.get()));
    }
  }
}
