// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.testing;

import java.util.List;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/** A module of nothing but float32 parameters with given values, which require gradients. */
public final class Weights extends Module {
  /** Parameters 0, 1, ... with these vectors as values. */
  public Weights(float[]... values) {
    for (int i = 0; i < values.length; i++) {
      int length = values[i].length;
      Parameter p = parameter(Integer.toString(i), (_, s) -> Torch.zeros(DType.FLOAT32, s), length);
      p.set(Torch.tensor(values[i], length).requiresGrad(true));
    }
  }

  /** The value of parameter i. */
  public Tensor value(int i) {
    return parameters().get(i).value();
  }

  /** All values, one after another. */
  public float[][] values() {
    List<Parameter> all = parameters();
    float[][] values = new float[all.size()][];
    for (int i = 0; i < values.length; i++) {
      values[i] = all.get(i).value().toFloats();
    }
    return values;
  }

  /** Gives parameter i this gradient. */
  public void setGrad(int i, float... gradient) {
    try (Tensor g = Torch.tensor(gradient, gradient.length)) {
      value(i).setGrad(g);
    }
  }
}
