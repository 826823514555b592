// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import org.relaydiffusion.diffusion.transfer.HostValues;
import org.relaydiffusion.diffusion.transfer.HostValues.Sent;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;

/** The orthonormal cosine transform of patches, with its constants on the images' device. */
interface PatchTransform {
  /** Returns the coefficients of each patch of [N, C, H, W], in its place. */
  Tensor transform(Tensor x);

  /** Inverts {@link #transform}. */
  Tensor invert(Tensor x);

  /**
   * Adds the constants that the transform needs, to be sent before it is used. They belong to the
   * current scope.
   *
   * @param patchSize the side of a patch
   * @param dtype of the images
   * @param numerics selects the transform, as in {@link Dct#dct2d(Tensor, int, Dct.Norm, Numerics)}
   */
  static PatchTransform of(HostValues constants, int patchSize, DType dtype, Numerics numerics) {
    return Dct.isByFourier(dtype, numerics)
        ? new ByFourier(
            FourierDct.forward(constants, patchSize, dtype, Dct.Norm.ORTHO),
            FourierDct.inverse(constants, patchSize, dtype, Dct.Norm.ORTHO))
        : new ByMatrix(
            patchSize,
            constants.add(Dct.forwardMatrix(patchSize, Dct.Norm.ORTHO, dtype, Device.CPU)),
            constants.add(Dct.inverseMatrix(patchSize, Dct.Norm.ORTHO, dtype, Device.CPU)));
  }

  /** The reference's Fourier transform. */
  record ByFourier(FourierDct forward, FourierDct inverse) implements PatchTransform {
    @Override
    public Tensor transform(Tensor x) {
      return forward.transformPatches(x);
    }

    @Override
    public Tensor invert(Tensor x) {
      return inverse.invertPatches(x);
    }
  }

  /** A matrix product along each axis. */
  record ByMatrix(int patchSize, Sent forward, Sent inverse) implements PatchTransform {
    @Override
    public Tensor transform(Tensor x) {
      return Dct.overPatches(x, patchSize, forward.get());
    }

    @Override
    public Tensor invert(Tensor x) {
      return Dct.overPatches(x, patchSize, inverse.get());
    }
  }
}
