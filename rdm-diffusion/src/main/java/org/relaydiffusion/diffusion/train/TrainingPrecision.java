// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import org.relaydiffusion.nativeconfig.NativeLibraryException;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.CudaPrecision.Tf32;
import org.relaydiffusion.torch.Device;

/** The precision of products on CUDA while a network is trained. */
final class TrainingPrecision {
  private TrainingPrecision() {}

  /**
   * Switches TensorFloat-32 and reduced float16 sums off in this process, as the reference does for
   * training, or as the options say; on the CPU, does nothing.
   *
   * @throws NativeLibraryException if the options name TensorFloat-32 and this LibTorch cannot set
   *     it; anything else that it cannot set is a warning
   */
  static void choose(TrainingOptions options, TrainingListener listener) {
    if (options.running().device().type() == Device.Type.CPU) {
      return;
    }
    try {
      CudaPrecision.FULL.with(options.tf32().orElse(Tf32.FORBIDDEN)).apply();
    } catch (NativeLibraryException e) {
      // That of the sums is nobody's option.
      options.tf32().ifPresent(CudaPrecision::setTf32);
      listener.warning(
          "products on CUDA may be rounded more than in the reference: %s"
              .formatted(e.getMessage()));
    }
  }
}
