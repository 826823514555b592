// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.AutogradAbi;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.TensorAbi;

/** What a tensor's gradient is checked for before LibTorch is given it. */
final class Gradient {
  private Gradient() {}

  static void require(Tensor tensor, boolean wanted) {
    try {
      Tensor.with(
          tensor,
          tensor,
          (handle, _) -> {
            TensorAbi.setRequiresGrad(handle, wanted);
            return 0;
          });
    } catch (NativeCallException e) {
      throw TorchException.failed(
          "requires_grad_(%b) on %s".formatted(wanted, tensor.describe()), e);
    }
    if (!wanted && tensor.requiresGrad()) {
      throw new TorchException(
          "%s was computed from tensors that require a gradient: detach() gives one that does not"
              .formatted(tensor.describe()));
    }
  }

  static void set(Tensor tensor, @Nullable Tensor grad) {
    if (grad == null) {
      tensor.alone(handle -> AutogradAbi.setGrad(handle, 0));
      return;
    }
    if (grad.dtype() != tensor.dtype()
        || !grad.device().equals(tensor.device())
        || !Arrays.equals(grad.shape(), tensor.shape())) {
      throw new TorchException(
          "the gradient of %s cannot be %s".formatted(tensor.describe(), grad.describe()));
    }
    // A backward pass adds to it in place.
    grad.checkWritable();
    // The gradient before is freed meanwhile, which grad() on another thread must not see.
    grad.with(other -> tensor.alone(handle -> AutogradAbi.setGrad(handle, other)));
  }
}
