// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Foreach;
import org.relaydiffusion.torch.Foreach.AdamLists;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;

/** How the arithmetic of a step is done. */
enum AdamKernel {
  /** LibTorch's fused kernel: each parameter, gradient and moment is read once. */
  FUSED {
    @Override
    void step(Lists lists, double learningRate, double kept, AdamOptions options) {
      Device device = lists.parameters().getFirst().device();
      // Parameters that were stepped as often share the number.
      Map<Long, Tensor> numbers = new HashMap<>();
      List<Tensor> steps = new ArrayList<>();
      for (long step : lists.steps()) {
        steps.add(numbers.computeIfAbsent(step, s -> Torch.full(s, DType.FLOAT32, device)));
      }
      AdamLists checked =
          new AdamLists(
              lists.parameters(), lists.gradients(), lists.expAvgs(), lists.expAvgSqs(), steps);
      lists.decay(kept);
      Foreach.fusedAdamInPlace(
          checked, learningRate, options.beta1(), options.beta2(), options.eps());
    }
  },

  /**
   * The operators of {@code torch.optim.Adam} in its order, one of which is called for each
   * parameter. Python's numbers are float64, and its powers those of C, which rounds them correctly
   * but for rare cases.
   */
  OPERATORS {
    @Override
    void step(Lists lists, double learningRate, double kept, AdamOptions options) {
      int n = lists.parameters().size();
      Foreach.lerpInPlace(lists.expAvgs(), lists.gradients(), 1 - options.beta1());
      Foreach.mulInPlace(lists.expAvgSqs(), options.beta2());
      double[] shares = new double[n];
      Arrays.fill(shares, 1 - options.beta2());
      Foreach.addcmulInPlace(lists.expAvgSqs(), lists.gradients(), lists.gradients(), shares);
      List<Tensor> roots = Foreach.sqrt(lists.expAvgSqs());
      List<Tensor> denominators = new ArrayList<>();
      double[] factors = new double[n];
      Map<Long, Corrections> corrections = new HashMap<>();
      for (int i = 0; i < n; i++) {
        long step = lists.steps().get(i);
        Corrections c = corrections.computeIfAbsent(step, s -> Corrections.of(s, options));
        try (Tensor root = roots.get(i);
            Tensor corrected = root.div(Math.sqrt(c.second()))) {
          denominators.add(corrected.add(options.eps()));
        }
        factors[i] = -(learningRate / c.first());
      }
      lists.decay(kept);
      Foreach.addcdivInPlace(lists.parameters(), lists.expAvgs(), denominators, factors);
    }
  };

  /**
   * How much of each running mean is there after some steps, as both begin at 0.
   *
   * @param first of the gradients
   * @param second of their squares
   */
  record Corrections(double first, double second) {
    private static final MathContext DIGITS = new MathContext(40);

    static Corrections of(long step, AdamOptions options) {
      return new Corrections(1 - power(options.beta1(), step), 1 - power(options.beta2(), step));
    }

    private static double power(double base, long exponent) {
      return new BigDecimal(base).pow(Math.toIntExact(exponent), DIGITS).doubleValue();
    }
  }

  /** What a step is about; {@code steps} counts each parameter's steps, this one included. */
  record Lists(
      List<Tensor> parameters,
      List<Tensor> gradients,
      List<Tensor> expAvgs,
      List<Tensor> expAvgSqs,
      List<Long> steps) {
    /** Lists to be filled. */
    static Lists empty() {
      return new Lists(
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>());
    }

    /** Decays the parameters, after what is checked and before what changes them. */
    private void decay(double kept) {
      if (kept != 1) {
        Foreach.mulInPlace(parameters, kept);
      }
    }
  }

  /**
   * Makes a step; called without gradients, in a scope that owns what is made meanwhile.
   *
   * @param kept what the parameters are multiplied by first: 1 without weight decay
   */
  abstract void step(Lists lists, double learningRate, double kept, AdamOptions options);

  /** The fused kernel where this LibTorch has it for such tensors: found out by a step of it. */
  static AdamKernel best(DType dtype, Device device) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      List<Tensor> one = List.of(Torch.full(1, dtype, device, 1));
      List<Tensor> zero = List.of(Torch.full(0, dtype, device, 1));
      List<Tensor> alsoZero = List.of(Torch.full(0, dtype, device, 1));
      FUSED.step(new Lists(one, one, zero, alsoZero, List.of(1L)), 0, 1, AdamOptions.DEFAULT);
      return FUSED;
    } catch (TorchException _) {
      return OPERATORS;
    }
  }
}
