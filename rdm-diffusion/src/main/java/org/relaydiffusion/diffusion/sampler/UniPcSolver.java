// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.torch.Tensor;

/**
 * UniPC-2 with B_2(h) in data prediction (Zhao et al., arXiv 2302.04867, section 3): a predictor of
 * order 2, whose result is corrected at the start of the next step with the prediction that is made
 * there anyway. With lambda = -ln t, h the length of the step in lambda and h_1 that of the step
 * before:
 *
 * <pre>
 * predictor: x' = exp(-h) x + (1 - exp(-h)) (D + h / (2 h_1) (D - D_1))
 * corrector: x' = exp(-h) x + w' D' + w D + w_1 D_1
 * </pre>
 *
 * <p>D' is the prediction for the predicted x'. The weights of the corrector integrate the parabola
 * through D', D and D_1 exactly; in the first step it is {@code (1 - exp(-h)) (D' + D) / 2}. The
 * corrector raises the order to 3, for one network call a step. The steps begin at the predicted
 * state; the corrected one is kept here. The step to noise level 0 returns the prediction.
 *
 * <p>The predictor is of order 2 rather than 3 because higher orders are less stable with guidance
 * and with few steps.
 *
 * @param options the steps; {@code churn} and {@code sdeScale} are ignored
 */
public record UniPcSolver(EdmOptions options) implements EdmSolver {
  private static final int PREDICTIONS = 2;

  @Override
  public int calls(int steps) {
    return steps;
  }

  @Override
  public Stepper begin(Batch batch) {
    return new Steps(batch);
  }

  static LinearUpdate predictor(double h, double... before) {
    return DpmPlusPlus2mSolver.update(h, before);
  }

  /**
   * Returns the update that repeats a step with the prediction at its end, whose weight is the
   * first.
   *
   * @param h the length of the step in lambda, above 0
   * @param before the distances in lambda between the predictions from its start on, newest first
   */
  static LinearUpdate corrector(double h, double... before) {
    double[] weights =
        before.length == 0
            ? ExponentialWeights.midpoint(ExponentialWeights.gain(h), h, -h)
            : ExponentialWeights.interpolating(h, h, 0, -before[0]);
    return new LinearUpdate(StrictMath.exp(-h), weights);
  }

  private static final class Steps implements Stepper {
    private final Batch batch;
    private final PredictionHistory history = new PredictionHistory(PREDICTIONS);

    /** The corrected state at the level of the newest prediction. */
    private @Nullable Tensor corrected;

    Steps(Batch batch) {
      this.batch = batch;
    }

    @Override
    public Tensor start() {
      return HeunSolver.latents(batch);
    }

    @Override
    public Tensor step(int i, Tensor x) {
      double t = batch.levels().at(i);
      double next = batch.levels().at(i + 1);
      Tensor denoised = batch.denoiser().denoise(x, t);
      if (next == 0) {
        return denoised;
      }
      Tensor state = corrected(x, t, denoised);
      history.add(t, denoised);
      return predictor(history.distance(next), history.gaps()).apply(state, history.predictions());
    }

    /** Corrects the state at noise level t, and keeps it. */
    private Tensor corrected(Tensor x, double t, Tensor denoised) {
      // A copy, because the caller frees x.
      Tensor state;
      if (corrected == null) {
        state = x.mul(1);
      } else {
        double h = history.distance(t);
        List<Tensor> predictions = new ArrayList<>(history.predictions());
        predictions.addFirst(denoised);
        state = h == 0 ? x.mul(1) : corrector(h, history.gaps()).apply(corrected, predictions);
        corrected.close();
      }
      corrected = state.release();
      return state;
    }

    @Override
    public void close() {
      history.close();
      if (corrected != null) {
        corrected.close();
        corrected = null;
      }
    }
  }
}
