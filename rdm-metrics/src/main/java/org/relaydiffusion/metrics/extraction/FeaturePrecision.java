// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import org.relaydiffusion.nativeconfig.NativeLibraryException;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.CudaPrecision.Tf32;
import org.relaydiffusion.torch.Device;

/** Makes hold what is recorded with features of the precision in which they were computed. */
final class FeaturePrecision {
  private FeaturePrecision() {}

  /**
   * Allows or forbids TensorFloat-32 in this process; on the CPU, does nothing.
   *
   * @throws NativeLibraryException if it is forbidden and this LibTorch cannot switch it off
   */
  static void choose(Device device, Tf32 tf32) {
    if (device.type() == Device.Type.CPU) {
      return;
    }
    try {
      CudaPrecision.setTf32(tf32);
    } catch (NativeLibraryException e) {
      // Features for which it is allowed are recorded as such, whether it is used or not.
      if (tf32 == Tf32.FORBIDDEN) {
        throw e;
      }
    }
  }
}
