// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Tensor;

/** D(x; sigma, y): the denoised image that samplers step towards (EDM, arXiv 2206.00364, eq. 7). */
public interface Denoiser {
  /**
   * Denoises a batch.
   *
   * @param x noisy images [N, C, H, W] of any floating type
   * @param sigma the noise level, 0-dim or [N], of any floating type
   * @param labels one-hot rows [N, labelDim] or [1, labelDim]; none means the unconditional branch.
   *     An unconditional network ignores them
   * @return float32 [N, C, H, W], the caller's
   */
  Tensor denoise(Tensor x, Tensor sigma, @Nullable Tensor labels);

  /** The images' width and height in pixels. */
  int resolution();

  /** The images' channels. */
  int channels();

  /** The number of classes; 0 for an unconditional network. */
  int labelDim();

  /** The smallest noise level that it was made for. */
  double sigmaMin();

  /** The largest noise level that it was made for; may be infinite. */
  double sigmaMax();

  /** The noise level nearest to {@code sigma} that the network knows. */
  double roundSigma(double sigma);
}
