// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.unet;

import org.relaydiffusion.torch.Comparison;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Zeroes whole label rows in training, so that one network learns both branches of guidance. */
final class LabelDropout {
  private LabelDropout() {}

  /** labels [N, K] with each row kept where a uniform draw is at least p. */
  static Tensor apply(Tensor labels, double p) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor u = Generator.global(labels.device()).rand(DType.FLOAT32, labels.size(0), 1);
      Tensor dropped =
          Comparison.lt(u, Torch.full(p, DType.FLOAT32, u.device())).to(labels.dtype());
      return scope.keep(labels.mul(Pointwise.neg(dropped).add(1)));
    }
  }
}
