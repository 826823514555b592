// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.guidance;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Tensor;

/** Selects the guidance of a batch. */
public final class Guidance {
  private Guidance() {}

  /** How the two predictions of guidance are computed. */
  public enum Evaluation {
    /** Two calls of the network, the conditional one first, as in the reference. */
    SEPARATE,
    /**
     * One call with twice the batch size; without labels, a single call, because both branches are
     * equal.
     */
    BATCHED;

    /** Returns how guidance is computed under {@code numerics}. */
    public static Evaluation of(Numerics numerics) {
      return switch (numerics) {
        case EXACT -> SEPARATE;
        case FAST -> BATCHED;
      };
    }
  }

  /**
   * Creates the guided network of a batch. What it computes once belongs to the current scope.
   *
   * @param options the scale and the interval
   * @param network the network
   * @param guide a weaker network of the same shape, for autoguidance; null for classifier-free
   *     guidance
   * @param labels one-hot rows [N, labelDim] float32, or null for an unconditional network
   * @param evaluation how the two branches of classifier-free guidance are computed
   */
  public static GuidedDenoiser of(
      GuidanceOptions options,
      Denoiser network,
      @Nullable Denoiser guide,
      @Nullable Tensor labels,
      Evaluation evaluation) {
    PlainDenoiser plain = new PlainDenoiser(network, labels);
    if (!options.isActive()) {
      return plain;
    }
    if (guide != null) {
      Tensor guideLabels = guide.labelDim() == 0 ? null : labels;
      return new Autoguidance(plain, new PlainDenoiser(guide, guideLabels), options);
    }
    boolean isPointless = labels == null && evaluation == Evaluation.BATCHED;
    return isPointless ? plain : new ClassifierFreeGuidance(plain, options, evaluation);
  }
}
