// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Classifier-free guidance: {@code w D(x; sigma | label) - (w - 1) D(x; sigma)} for w > 1,
 * otherwise the conditional network alone (Ho and Salimans, arXiv 2207.12598).
 */
public final class Guidance {
  private final Denoiser net;
  private final @Nullable Tensor labels;
  private final double scale;

  /** The labels of both branches in one batch, if they are computed together. */
  private final @Nullable Tensor bothLabels;

  private final Evaluation evaluation;

  /** How the two branches of guidance are computed. */
  public enum Evaluation {
    /** Two calls of the network, the conditional one first, as in the reference. */
    SEPARATE,
    /**
     * One call with twice the batch size; without labels, a single call, because both branches are
     * equal.
     */
    BATCHED
  }

  /**
   * Creates the guided network. What it computes once belongs to the current scope.
   *
   * @param net the network
   * @param labels [N, labelDim] float32, or null for an unconditional network
   * @param scale w
   * @param evaluation how the two branches are computed
   */
  public Guidance(Denoiser net, @Nullable Tensor labels, double scale, Evaluation evaluation) {
    this.net = net;
    this.labels = labels;
    this.scale = scale;
    this.evaluation = evaluation;
    bothLabels =
        labels != null && scale > 1 && evaluation == Evaluation.BATCHED ? both(labels) : null;
  }

  private static Tensor both(Tensor labels) {
    try (var scope = TensorScope.open()) {
      return scope.keep(Shapes.cat(List.of(labels, Torch.zerosLike(labels)), 0));
    }
  }

  /** Returns the network without guidance. */
  public static Guidance none(Denoiser net, @Nullable Tensor labels) {
    return new Guidance(net, labels, 1, Evaluation.SEPARATE);
  }

  /**
   * Computes the denoised images of the guided network.
   *
   * @param x float64 [N, C, H, W]
   * @param sigma the noise level of all images
   * @return float64 [N, C, H, W]
   */
  public Tensor denoise(Tensor x, double sigma) {
    try (var scope = TensorScope.open()) {
      // Made where it is used: a copy to a device would wait.
      Tensor level = Torch.full(sigma, DType.FLOAT64, x.device());
      if (scale <= 1 || (evaluation == Evaluation.BATCHED && labels == null)) {
        return scope.keep(net.denoise(x, level, labels).to(DType.FLOAT64));
      }
      Tensor conditional;
      Tensor unconditional;
      if (bothLabels != null) {
        Tensor once = x.to(DType.FLOAT32);
        Tensor both = net.denoise(Shapes.cat(List.of(once, once), 0), level, bothLabels);
        conditional = Shapes.narrow(both, 0, 0, x.size(0));
        unconditional = Shapes.narrow(both, 0, x.size(0), x.size(0));
      } else {
        conditional = net.denoise(x, level, labels);
        unconditional = net.denoise(x, level, null);
      }
      Tensor towards = conditional.to(DType.FLOAT64).mul(scale);
      Tensor away = unconditional.to(DType.FLOAT64).mul(scale - 1);
      return scope.keep(towards.sub(away));
    }
  }
}
