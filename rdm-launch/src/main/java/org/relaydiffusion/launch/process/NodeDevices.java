package org.relaydiffusion.launch.process;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.nativeconfig.Doctor;
import org.relaydiffusion.nativeconfig.DoctorReport;

/** What this node has to run processes on. */
final class NodeDevices {
  private NodeDevices() {}

  /** Cores that Java may use. */
  static int cores() {
    return Runtime.getRuntime().availableProcessors();
  }

  /**
   * GPUs that LibTorch can use.
   *
   * @throws OptionException when it can use none, with the reason
   */
  static int gpus() {
    DoctorReport.Cuda cuda = Doctor.examine().cuda();
    cuda.whyUnusable()
        .ifPresent(why -> {
          throw new OptionException("--nproc_per_node=gpu: no GPU can be used: " + why);
        });
    return cuda.devices().size();
  }

  /** GPUs that LibTorch can use, or the cores where there are none. */
  static int gpusOrCores() {
    DoctorReport.Cuda cuda = Doctor.examine().cuda();
    return cuda.whyUnusable().isEmpty() ? cuda.devices().size() : cores();
  }
}
