// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.nativeconfig.Doctor;
import org.relaydiffusion.nativeconfig.DoctorReport;

/** The processors and GPUs of this node. */
final class NodeDevices {
  private NodeDevices() {}

  /** Returns the number of cores available to Java. */
  static int cores() {
    return Runtime.getRuntime().availableProcessors();
  }

  /**
   * Returns the number of GPUs that LibTorch can use.
   *
   * @throws OptionException with the reason, if it can use none
   */
  static int gpus() {
    DoctorReport.Cuda cuda = Doctor.cuda();
    cuda.whyUnusable()
        .ifPresent(why -> {
          throw new OptionException("--nproc_per_node=gpu: no GPU can be used: " + why);
        });
    return cuda.devices().size();
  }

  /** Returns the number of GPUs that LibTorch can use, or of cores if there are no GPUs. */
  static int gpusOrCores() {
    DoctorReport.Cuda cuda = Doctor.cuda();
    return cuda.whyUnusable().isEmpty() ? cuda.devices().size() : cores();
  }
}
