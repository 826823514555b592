// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/**
 * The last layer of Inception-v3, from pool features to class logits: x W^T + b.
 *
 * @param weight float32 [classes, D]; [1008, 2048] for Inception-v3
 * @param bias float32 [classes]
 */
public record OutputLayer(Tensor weight, Tensor bias) {
  /**
   * Checks dtypes and shapes. The tensors remain owned by the caller.
   *
   * @throws org.relaydiffusion.RdmException if they are different
   */
  public OutputLayer {
    boolean fits =
        weight.dtype() == DType.FLOAT32
            && bias.dtype() == DType.FLOAT32
            && weight.rank() == 2
            && bias.rank() == 1
            && bias.size(0) == weight.size(0);
    if (!fits) {
      throw new RdmException(
          "an output layer requires float32 weights [classes, D] and biases [classes], but found %s and %s"
              .formatted(weight.describe(), bias.describe()));
    }
  }
}
