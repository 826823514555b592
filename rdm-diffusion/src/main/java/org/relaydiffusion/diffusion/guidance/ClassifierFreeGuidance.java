// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.guidance;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Classifier-free guidance: {@code w D(x; sigma | label) - (w - 1) D(x; sigma)} within the interval
 * of noise levels, otherwise the conditional network alone (Ho and Salimans, arXiv 2207.12598).
 */
public final class ClassifierFreeGuidance implements GuidedDenoiser {
  private final PlainDenoiser plain;
  private final GuidanceOptions options;

  /** The labels of both branches in one batch, if they are computed together. */
  private final @Nullable Tensor bothLabels;

  /**
   * Creates the guided network. What it computes once belongs to the current scope.
   *
   * @param plain the network and the labels
   * @param options the scale w, above 1, and the interval
   * @param evaluation how the two branches are computed
   */
  ClassifierFreeGuidance(
      PlainDenoiser plain, GuidanceOptions options, Guidance.Evaluation evaluation) {
    this.plain = plain;
    this.options = options;
    Tensor labels = plain.labels();
    bothLabels = labels != null && evaluation == Guidance.Evaluation.BATCHED ? both(labels) : null;
  }

  private static Tensor both(Tensor labels) {
    try (var scope = TensorScope.open()) {
      return scope.keep(Shapes.cat(List.of(labels, Torch.zerosLike(labels)), 0));
    }
  }

  @Override
  public Denoiser network() {
    return plain.network();
  }

  @Override
  public GuidedDenoiser unguided() {
    return plain;
  }

  @Override
  public Tensor denoise(Tensor x, double sigma) {
    if (!options.interval().contains(sigma)) {
      return plain.denoise(x, sigma);
    }
    try (var scope = TensorScope.open()) {
      Tensor level = PlainDenoiser.level(x, sigma);
      Denoiser net = plain.network();
      Tensor conditional;
      Tensor unconditional;
      if (bothLabels != null) {
        Tensor once = x.to(DType.FLOAT32);
        Tensor both = net.denoise(Shapes.cat(List.of(once, once), 0), level, bothLabels);
        conditional = Shapes.narrow(both, 0, 0, x.size(0));
        unconditional = Shapes.narrow(both, 0, x.size(0), x.size(0));
      } else {
        conditional = net.denoise(x, level, plain.labels());
        unconditional = net.denoise(x, level, null);
      }
      Tensor towards = conditional.to(DType.FLOAT64).mul(options.scale());
      Tensor away = unconditional.to(DType.FLOAT64).mul(options.scale() - 1);
      return scope.keep(towards.sub(away));
    }
  }
}
