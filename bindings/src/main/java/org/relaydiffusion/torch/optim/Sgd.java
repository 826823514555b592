// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Foreach;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * Stochastic gradient descent as {@code torch.optim.SGD} computes it by default on the CPU:
 * operator by operator, with the same bits on the same LibTorch.
 */
public final class Sgd implements Optimizer {
  private final List<Parameter> parameters;
  private final SgdOptions options;
  private final @Nullable Tensor[] momenta;

  /**
   * An optimizer of parameters that have their values already.
   *
   * @param parameters in the order in which {@link #momenta} numbers them; all of one floating
   *     type, on one device
   * @throws TorchException when they are not
   */
  public Sgd(List<Parameter> parameters, SgdOptions options) {
    Trained.requireAlike("SGD", parameters);
    this.parameters = List.copyOf(parameters);
    this.options = TorchException.requireNonNull(options, "options");
    this.momenta = new Tensor[parameters.size()];
  }

  @Override
  public void step(double learningRate) {
    try (GradMode _ = GradMode.noGrad()) {
      for (int i = 0; i < momenta.length; i++) {
        try (TensorScope _ = TensorScope.open()) {
          Tensor value = parameters.get(i).value();
          Tensor grad = value.grad();
          if (grad != null) {
            Tensor direction = direction(i, decayed(value, grad));
            value.copyFrom(Pointwise.addScaled(value, direction, -learningRate));
          }
        }
      }
    }
  }

  private Tensor decayed(Tensor value, Tensor grad) {
    return options.weightDecay() == 0
        ? grad
        : Pointwise.addScaled(grad, value, options.weightDecay());
  }

  /** Where parameter i goes; what is remembered of it takes this gradient in. */
  private Tensor direction(int i, Tensor grad) {
    if (options.momentum() == 0) {
      return grad;
    }
    Tensor momentum = momenta[i];
    if (momentum == null) {
      momentum = Shapes.copy(grad).release();
      momenta[i] = momentum;
    } else {
      Foreach.mulInPlace(List.of(momentum), options.momentum());
      momentum.copyFrom(Pointwise.addScaled(momentum, grad, 1 - options.dampening()));
    }
    return options.kind() == SgdOptions.Kind.NESTEROV
        ? Pointwise.addScaled(grad, momentum, options.momentum())
        : momentum;
  }

  @Override
  public void clearGradients() {
    Trained.clearGradients(parameters);
  }

  /**
   * The momenta ({@code momentum_buffer}), by the parameters' numbers from 0 on; parameters that
   * never had a gradient are absent. The tensors stay this optimizer's, and the next step changes
   * them.
   */
  public SortedMap<Integer, Tensor> momenta() {
    SortedMap<Integer, Tensor> all = new TreeMap<>();
    for (int i = 0; i < momenta.length; i++) {
      Tensor momentum = momenta[i];
      if (momentum != null) {
        all.put(i, momentum);
      }
    }
    return all;
  }

  /**
   * Continues from what {@link #momenta} gave: copies it, and forgets what there was. Changes
   * nothing when it throws.
   *
   * @throws TorchException when a number or a shape does not fit the parameters
   */
  public void load(Map<Integer, Tensor> saved) {
    TorchException.requireNonNull(saved, "saved").forEach(this::check);
    @Nullable Tensor[] loaded = new Tensor[momenta.length];
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      saved.forEach((i, t) -> loaded[i] = Torch.zerosLike(parameters.get(i).value()).copyFrom(t));
      close();
      for (int i = 0; i < loaded.length; i++) {
        Tensor momentum = loaded[i];
        momenta[i] = momentum == null ? null : momentum.release();
      }
    }
  }

  private void check(int i, Tensor momentum) {
    TorchException.requireNonNull(momentum, "momentum");
    if (i < 0 || i >= momenta.length) {
      throw new TorchException(
          "SGD's momentum is of a parameter %s, but there are %s".formatted(i, momenta.length));
    }
    Parameter p = parameters.get(i);
    if (!Arrays.equals(momentum.shape(), p.shape())) {
      throw new TorchException(
          "SGD's momentum of parameter %s (%s) is %s, but the parameter is %s"
              .formatted(i, p.name(), momentum.describe(), p.value().describe()));
    }
  }

  @Override
  public void close() {
    for (int i = 0; i < momenta.length; i++) {
      Tensor momentum = momenta[i];
      momenta[i] = null;
      if (momentum != null) {
        momentum.close();
      }
    }
  }
}
