// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.jspecify.annotations.Nullable;

/**
 * Loss functions. Each returns the mean over all elements, unless a {@link Total} says otherwise.
 */
public final class Losses {
  private static final Operator CROSS_ENTROPY =
      Operator.of(
          "aten::cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, "
              + "int reduction=1, SymInt ignore_index=-100, float label_smoothing=0.0) -> Tensor");
  private static final Operator NLL =
      Operator.of(
          "aten::nll_loss_nd(Tensor self, Tensor target, Tensor? weight=None, "
              + "int reduction=1, SymInt ignore_index=-100) -> Tensor");
  private static final Operator MSE =
      Operator.of("aten::mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor");
  private static final Operator L1 =
      Operator.of("aten::l1_loss(Tensor self, Tensor target, int reduction=1) -> Tensor");
  private static final Operator SMOOTH_L1 =
      Operator.of(
          "aten::smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.0) "
              + "-> Tensor");
  private static final Operator BCE_WITH_LOGITS =
      Operator.of(
          "aten::binary_cross_entropy_with_logits(Tensor self, Tensor target, "
              + "Tensor? weight=None, Tensor? pos_weight=None, int reduction=1) -> Tensor");

  /** How the losses of the elements are reduced ({@code reduction=} in PyTorch). */
  public enum Total {
    /** Not at all: the result has one for each element. */
    NONE(0),
    /** Their mean. */
    MEAN(1),
    /** Their sum. */
    SUM(2);

    private final int code;

    Total(int code) {
      this.code = code;
    }
  }

  private Losses() {}

  /**
   * The mean of {@code -log softmax(logits)} at the right class ({@code cross_entropy}).
   *
   * @param logits floating, [N, C] or [N, C, ...]
   * @param target int64 [N] or [N, ...] with classes from 0 to C - 1, or -100 for elements to
   *     ignore; or probabilities in the shape of the logits
   */
  public static Tensor crossEntropy(Tensor logits, Tensor target) {
    return crossEntropy(logits, target, null, Total.MEAN, 0);
  }

  /**
   * As {@link #crossEntropy(Tensor, Tensor)}, with weights and smoothing.
   *
   * @param weight of each class [C], or null for 1; a mean is weighted too
   * @param labelSmoothing the share of the target that is spread over all classes, in [0, 1]
   */
  public static Tensor crossEntropy(
      Tensor logits, Tensor target, @Nullable Tensor weight, Total total, double labelSmoothing) {
    TorchException.requireNonNull(total, "total");
    return CROSS_ENTROPY
        .call()
        .arg(logits)
        .arg(target)
        .arg(weight)
        .arg(total.code)
        .at("label_smoothing")
        .arg(labelSmoothing)
        .tensor();
  }

  /**
   * The mean of {@code -logProbabilities} at the right class ({@code nll_loss}), for the result of
   * {@link Functional#logSoftmax}; shapes as in {@link #crossEntropy(Tensor, Tensor)}.
   */
  public static Tensor nll(Tensor logProbabilities, Tensor target) {
    return NLL.apply(logProbabilities, target);
  }

  /** The mean of {@code (x - target)^2} ({@code mse_loss}); the shapes broadcast. */
  public static Tensor mse(Tensor x, Tensor target) {
    return mse(x, target, Total.MEAN);
  }

  /** {@code (x - target)^2}, reduced; the shapes broadcast. */
  public static Tensor mse(Tensor x, Tensor target, Total total) {
    TorchException.requireNonNull(total, "total");
    return MSE.call().arg(x).arg(target).arg(total.code).tensor();
  }

  /** The mean of {@code |x - target|} ({@code l1_loss}); the shapes broadcast. */
  public static Tensor l1(Tensor x, Tensor target) {
    return l1(x, target, Total.MEAN);
  }

  /** {@code |x - target|}, reduced; the shapes broadcast. */
  public static Tensor l1(Tensor x, Tensor target, Total total) {
    TorchException.requireNonNull(total, "total");
    return L1.call().arg(x).arg(target).arg(total.code).tensor();
  }

  /**
   * The mean of {@code d^2 / (2 beta)} where {@code d = |x - target|} is below beta, and of {@code
   * d - beta / 2} elsewhere ({@code smooth_l1_loss}).
   *
   * @param beta above 0
   */
  public static Tensor smoothL1(Tensor x, Tensor target, double beta) {
    return SMOOTH_L1.call().arg(x).arg(target).at("beta").arg(beta).tensor();
  }

  /**
   * The mean of {@code -target log sigmoid(logits) - (1 - target) log(1 - sigmoid(logits))} ({@code
   * binary_cross_entropy_with_logits}).
   *
   * @param logits floating, of any shape
   * @param target of the same shape and type, in [0, 1]
   */
  public static Tensor binaryCrossEntropy(Tensor logits, Tensor target) {
    return BCE_WITH_LOGITS.apply(logits, target);
  }
}
