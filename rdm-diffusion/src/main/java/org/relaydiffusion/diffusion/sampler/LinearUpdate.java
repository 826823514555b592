// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.List;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * A step that is linear in the state and in predictions: {@code x' = kept x + sum of weights_j
 * D_j}.
 *
 * @param kept the factor of the state
 * @param weights the factors of the predictions, newest first
 */
record LinearUpdate(double kept, double... weights) {
  /** Returns the next state, in the current scope. */
  Tensor apply(Tensor x, List<Tensor> predictions) {
    try (var scope = TensorScope.open()) {
      Tensor sum = x.mul(kept);
      for (int j = 0; j < weights.length; j++) {
        sum = sum.add(predictions.get(j).mul(weights[j]));
      }
      return scope.keep(sum);
    }
  }
}
