package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/**
 * Inception-v3's last layer, from pool features to the logits of its classes: x W^T + b.
 *
 * @param weight float32 [classes, D]; [1008, 2048] for Inception-v3
 * @param bias float32 [classes]
 */
public record OutputLayer(Tensor weight, Tensor bias) {
  /** Checks types and shapes. The tensors stay their owner's. */
  public OutputLayer {
    boolean fits =
        weight.dtype() == DType.FLOAT32
            && bias.dtype() == DType.FLOAT32
            && weight.rank() == 2
            && bias.rank() == 1
            && bias.size(0) == weight.size(0);
    if (!fits) {
      throw new RdmException(
          "an output layer has float32 weights [classes, D] and biases [classes], not %s and %s"
              .formatted(weight.describe(), bias.describe()));
    }
  }
}
