// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * One operator over many tensors in one call ({@code torch._foreach_*}), which on CUDA is a few
 * kernels instead of one for each tensor. Lists that belong together have the same length, and
 * their tensors in the same place the same shape.
 *
 * <p>What changes parameters here is called while {@link GradMode#noGrad} is open, as LibTorch
 * refuses it otherwise.
 */
public final class Foreach {
  // Those with a list of factors take them as a float64 vector on the CPU, one a tensor; those with
  // one factor as a 0-dim tensor.
  private static final Operator LERP =
      Operator.of(
          "aten::_foreach_lerp.List(Tensor[] self, Tensor[] tensors1, Tensor[] weights) -> Tensor[]");
  private static final Operator LERP_ =
      Operator.of(
          "aten::_foreach_lerp_.List(Tensor(a!)[] self, Tensor[] tensors1, Tensor[] weights) -> ()");
  private static final Operator COPY_ =
      Operator.of(
          "aten::_foreach_copy_(Tensor(a!)[] self, Tensor[] src, bool non_blocking=False) -> ()");
  private static final Operator MUL_ =
      Operator.of("aten::_foreach_mul_.Tensor(Tensor(a!)[] self, Tensor other) -> ()");
  private static final Operator SQRT =
      Operator.of("aten::_foreach_sqrt(Tensor[] self) -> Tensor[]");
  private static final Operator ADDCMUL_ =
      Operator.of(
          "aten::_foreach_addcmul_.Tensor(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, "
              + "Tensor scalars) -> ()");
  private static final Operator ADDCDIV_ =
      Operator.of(
          "aten::_foreach_addcdiv_.Tensor(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, "
              + "Tensor scalars) -> ()");
  private static final Operator UNSCALE_ =
      Operator.of(
          "aten::_amp_foreach_non_finite_check_and_unscale_(Tensor(a!)[] self, "
              + "Tensor(b!) found_inf, Tensor inv_scale) -> ()");
  private static final Operator FUSED_ADAM_ =
      Operator.of(
          "aten::_fused_adam_(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] exp_avgs, "
              + "Tensor(d!)[] exp_avg_sqs, Tensor(e!)[] max_exp_avg_sqs, Tensor[] state_steps, *, "
              + "float lr, float beta1, float beta2, float weight_decay, float eps, bool amsgrad, "
              + "bool maximize, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()");

  private static final Operator FUSED_SGD_ =
      Operator.of(
          "aten::_fused_sgd_(Tensor(a!)[] self, Tensor(b!)[] grads, "
              + "Tensor(c!)[] momentum_buffer_list, *, float weight_decay, float momentum, "
              + "float lr, float dampening, bool nesterov, bool maximize, bool is_first_step, "
              + "Tensor? grad_scale=None, Tensor? found_inf=None) -> ()");

  private Foreach() {}

  /** {@code a + weight (b - a)} of each pair ({@code torch.lerp}), as new tensors. */
  public static List<Tensor> lerp(List<Tensor> a, List<Tensor> b, double weight) {
    TorchException.requireNoNulls(a, "a");
    TorchException.requireNoNulls(b, "b");
    if (a.isEmpty() && b.isEmpty()) {
      return List.of();
    }
    try (Tensor w = like(weight, a)) {
      return LERP.call().arg(a).arg(b).arg(Collections.nCopies(a.size(), w)).tensorList();
    }
  }

  /** {@code a += weight (b - a)} of each pair. */
  public static void lerpInPlace(List<Tensor> a, List<Tensor> b, double weight) {
    TorchException.requireNoNulls(a, "a");
    TorchException.requireNoNulls(b, "b");
    if (a.isEmpty() && b.isEmpty()) {
      return;
    }
    try (Tensor w = like(weight, a)) {
      LERP_.call().arg(a).arg(b).arg(Collections.nCopies(a.size(), w)).run();
    }
  }

  /**
   * {@code a += weight (b - a)} of each pair, in few kernels on CUDA, where {@link #lerpInPlace}
   * has one for each pair. It rounds otherwise, by less than the last place of the larger of a and
   * b.
   *
   * @param a of one floating type, on one device
   * @param b of the same type, shapes and device; read only
   */
  public static void fusedLerpInPlace(List<Tensor> a, List<Tensor> b, double weight) {
    TorchException.requireNoNulls(a, "a");
    TorchException.requireNoNulls(b, "b");
    if (a.isEmpty() && b.isEmpty()) {
      return;
    }
    if (a.size() != b.size()) {
      throw new TorchException("%s tensors cannot follow %s".formatted(a.size(), b.size()));
    }
    for (int i = 0; i < a.size(); i++) {
      requireAlike(a.get(i), a.getFirst(), false);
      requireAlike(b.get(i), a.get(i), true);
    }
    // A step of gradient descent a -= weight (1 a + -b): the decay is 1, and the sign of what
    // stands for the gradient is reversed.
    FUSED_SGD_
        .call()
        .arg(a)
        .arg(b)
        .arg(List.of())
        .arg(1)
        .arg(0)
        .arg(weight)
        .arg(0)
        .arg(false)
        .arg(true)
        .arg(false)
        .none()
        .none()
        .run();
  }

  /** The kernel takes its operands on trust: it walks through memory. */
  private static void requireAlike(Tensor x, Tensor first, boolean inLayout) {
    boolean alike =
        x.dtype() == first.dtype()
            && x.dtype().isFloatingPoint()
            && x.device().equals(first.device())
            && (!inLayout
                || (Arrays.equals(x.shape(), first.shape())
                    && Arrays.equals(x.strides(), first.strides())
                    && Sizes.areDense(x.shape(), x.strides())));
    if (!alike) {
      throw new TorchException(
          "%s and %s do not have the same %s"
              .formatted(
                  first.describe(),
                  x.describe(),
                  inLayout ? "type, device and layout" : "floating type and device"));
    }
  }

  /** {@code a = b} of each pair, converting type and device. */
  public static void copyInPlace(List<Tensor> a, List<Tensor> b) {
    TorchException.requireNoNulls(a, "a");
    TorchException.requireNoNulls(b, "b");
    if (a.isEmpty() && b.isEmpty()) {
      return;
    }
    COPY_.call().arg(a).arg(b).arg(false).run();
  }

  /** {@code x *= factor} of each. */
  public static void mulInPlace(List<Tensor> x, double factor) {
    TorchException.requireNoNulls(x, "x");
    if (x.isEmpty()) {
      return;
    }
    try (Tensor f = like(factor, x)) {
      MUL_.call().arg(x).arg(f).run();
    }
  }

  /** The square root of each, as new tensors. */
  public static List<Tensor> sqrt(List<Tensor> x) {
    TorchException.requireNoNulls(x, "x");
    return x.isEmpty() ? List.of() : SQRT.call().arg(x).tensorList();
  }

  /** {@code a += factor b c} of each three, with a factor for each. */
  public static void addcmulInPlace(
      List<Tensor> a, List<Tensor> b, List<Tensor> c, double... factors) {
    three(ADDCMUL_, a, b, c, factors);
  }

  /** {@code a += factor b / c} of each three, with a factor for each. */
  public static void addcdivInPlace(
      List<Tensor> a, List<Tensor> b, List<Tensor> c, double... factors) {
    three(ADDCDIV_, a, b, c, factors);
  }

  /**
   * {@code x *= factor} of each; checks all elements for Inf and NaN in the same pass. With factor
   * 1 nothing changes.
   *
   * @param x of one type, on one device
   * @return whether all elements were finite before
   */
  public static boolean unscaleInPlace(List<Tensor> x, double factor) {
    TorchException.requireNoNulls(x, "x");
    if (x.isEmpty()) {
      return true;
    }
    Device device = x.getFirst().device();
    try (Tensor found = Torch.full(0, DType.FLOAT32, device, 1);
        Tensor by = Torch.full(factor, DType.FLOAT32, device, 1)) {
      UNSCALE_.call().arg(x).arg(found).arg(by).run();
      return found.item() == 0;
    }
  }

  /**
   * The lists of an Adam step, in the parameters' order and one type, on one device; parameter,
   * gradient and moments in the same place of the lists lie in memory in the same order of axes.
   *
   * @param parameters changed
   * @param gradients read
   * @param expAvgs the running means of the gradients, changed
   * @param expAvgSqs the running means of their squares, changed
   * @param steps float32 0-dim each, on that device: how many steps there were, this one included
   */
  public record AdamLists(
      List<Tensor> parameters,
      List<Tensor> gradients,
      List<Tensor> expAvgs,
      List<Tensor> expAvgSqs,
      List<Tensor> steps) {
    /**
     * Checks that the lists belong together: the kernel takes them on trust.
     *
     * @throws TorchException when they do not
     */
    public AdamLists {
      // Copies, so that what was checked is what the kernel gets.
      parameters = List.copyOf(TorchException.requireNoNulls(parameters, "parameters"));
      gradients = List.copyOf(TorchException.requireNoNulls(gradients, "gradients"));
      expAvgs = List.copyOf(TorchException.requireNoNulls(expAvgs, "expAvgs"));
      expAvgSqs = List.copyOf(TorchException.requireNoNulls(expAvgSqs, "expAvgSqs"));
      steps = List.copyOf(TorchException.requireNoNulls(steps, "steps"));
      if (parameters.isEmpty() || parameters.size() != steps.size()) {
        throw new TorchException(
            "an Adam step of %s parameters has %s numbers of steps"
                .formatted(parameters.size(), steps.size()));
      }
      Tensor first = parameters.getFirst();
      for (Tensor p : parameters) {
        requireSame("type and device", p, first, isOfKind(p, first.dtype(), first.device()));
      }
      for (List<Tensor> others : List.of(gradients, expAvgs, expAvgSqs)) {
        if (others.size() != parameters.size()) {
          throw new TorchException(
              "an Adam step of %s parameters has %s gradients or moments"
                  .formatted(parameters.size(), others.size()));
        }
        for (int i = 0; i < others.size(); i++) {
          Tensor p = parameters.get(i);
          Tensor other = others.get(i);
          requireSame("layout", other, p, lieAlike(other, p));
        }
      }
      for (Tensor step : steps) {
        if (step.rank() != 0 || !isOfKind(step, DType.FLOAT32, first.device())) {
          throw new TorchException(
              "a number of steps is float32[] on %s, not %s"
                  .formatted(first.device(), step.describe()));
        }
      }
    }

    private static boolean isOfKind(Tensor t, DType dtype, Device device) {
      return t.dtype() == dtype && t.device().equals(device);
    }

    private static boolean lieAlike(Tensor a, Tensor b) {
      long[] strides = a.strides();
      return isOfKind(a, b.dtype(), b.device())
          && Arrays.equals(a.shape(), b.shape())
          && Arrays.equals(strides, b.strides())
          && Sizes.areDense(a.shape(), strides);
    }

    private static void requireSame(String what, Tensor a, Tensor b, boolean same) {
      if (!same) {
        throw new TorchException(
            "in an Adam step %s must have the %s of %s"
                .formatted(a.describe(), what, b.describe()));
      }
    }
  }

  /** One Adam step in one kernel ({@code torch.optim.Adam(fused=True)}), without weight decay. */
  public static void fusedAdamInPlace(
      AdamLists lists, double learningRate, double beta1, double beta2, double eps) {
    TorchException.requireNonNull(lists, "lists");
    FUSED_ADAM_
        .call()
        .arg(lists.parameters())
        .arg(lists.gradients())
        .arg(lists.expAvgs())
        .arg(lists.expAvgSqs())
        .arg(List.of())
        .arg(lists.steps())
        .arg(learningRate)
        .arg(beta1)
        .arg(beta2)
        .arg(0)
        .arg(eps)
        .arg(false)
        .arg(false)
        .none()
        .none()
        .run();
  }

  private static void three(
      Operator op, List<Tensor> a, List<Tensor> b, List<Tensor> c, double... factors) {
    TorchException.requireNoNulls(a, "a");
    TorchException.requireNoNulls(b, "b");
    TorchException.requireNoNulls(c, "c");
    TorchException.requireNonNull(factors, "factors");
    if (a.isEmpty() && b.isEmpty() && c.isEmpty()) {
      return;
    }
    try (Tensor f = Torch.tensor(factors, factors.length)) {
      op.call().arg(a).arg(b).arg(c).arg(f).run();
    }
  }

  /**
   * A factor where the first tensor lies and in its type: LibTorch asks that of a lerp's weight.
   */
  private static Tensor like(double value, List<Tensor> list) {
    if (list.isEmpty()) {
      throw new TorchException("an empty list of tensors cannot be paired with another");
    }
    return Torch.full(value, list.getFirst().dtype(), list.getFirst().device());
  }
}
