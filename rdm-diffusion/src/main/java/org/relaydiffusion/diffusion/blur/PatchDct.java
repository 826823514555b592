// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;

/**
 * The orthonormal cosine transform of patches and its inverse, as matrix products whose matrices
 * are kept where the images are: for many images of one kind. The results are those of {@link
 * Dct#dct2d(Tensor, int)} and {@link Dct#idct2d(Tensor, int)} for float64 images.
 */
public final class PatchDct {
  private final int patchSize;
  private final Tensor forward;
  private final Tensor inverse;

  private PatchDct(int patchSize, Tensor forward, Tensor inverse) {
    this.patchSize = patchSize;
    this.forward = forward;
    this.inverse = inverse;
  }

  /**
   * Creates the matrices, which belong to the current scope.
   *
   * @param patchSize s, the side of a patch
   * @param dtype of the images
   * @param device of the images
   */
  public static PatchDct of(int patchSize, DType dtype, Device device) {
    return new PatchDct(
        patchSize,
        Dct.forwardMatrix(patchSize, Dct.Norm.ORTHO, dtype, device),
        Dct.inverseMatrix(patchSize, Dct.Norm.ORTHO, dtype, device));
  }

  /**
   * Computes the transform of each patch.
   *
   * @param x [N, C, H, W]; s must divide H and W
   * @return [N, C, H, W], with the coefficients of each patch in its place
   * @throws org.relaydiffusion.RdmException if the patch size does not divide the image
   */
  public Tensor transform(Tensor x) {
    return Dct.overPatches(x, patchSize, forward);
  }

  /** Computes the inverse of {@link #transform}. */
  public Tensor inverse(Tensor x) {
    return Dct.overPatches(x, patchSize, inverse);
  }
}
