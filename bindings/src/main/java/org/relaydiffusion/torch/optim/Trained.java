// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Parameter;

/** Checks and helpers that optimizers share. */
final class Trained {
  private Trained() {}

  /**
   * Refuses parameters that no kernel can change together.
   *
   * @param optimizer its name, for the message
   * @return the first parameter's value
   * @throws TorchException when there are none, or they are not of one floating type on one device
   */
  static Tensor requireAlike(String optimizer, List<Parameter> parameters) {
    if (TorchException.requireNoNulls(parameters, "parameters").isEmpty()) {
      throw new TorchException(optimizer + " was given no parameters");
    }
    Tensor first = parameters.getFirst().value();
    DType dtype = first.dtype();
    Device device = first.device();
    for (Parameter p : parameters) {
      Tensor value = p.value();
      if (value.dtype() != dtype || !value.device().equals(device)) {
        throw new TorchException(
            "%s changes parameters of one type on one device: %s is %s, %s is %s"
                .formatted(
                    optimizer,
                    parameters.getFirst().name(),
                    first.describe(),
                    p.name(),
                    value.describe()));
      }
    }
    if (!dtype.isFloatingPoint()) {
      throw new TorchException("%s cannot change %s".formatted(optimizer, first.describe()));
    }
    return first;
  }

  /** The other tensor with the strides of {@code value}: fused kernels walk through memory. */
  static Tensor inOrderOf(Tensor value, Tensor other) {
    return Arrays.equals(value.strides(), other.strides())
        ? other
        : Torch.emptyStrided(other.dtype(), other.device(), value.shape(), value.strides())
            .copyFrom(other);
  }

  static void clearGradients(List<Parameter> parameters) {
    parameters.forEach(p -> p.value().clearGrad());
  }
}
