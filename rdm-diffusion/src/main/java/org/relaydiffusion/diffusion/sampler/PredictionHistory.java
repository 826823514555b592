// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.Tensor;

/**
 * The latest predictions of a batch and the half log-SNR lambda = -ln t of each, newest first.
 *
 * <p>No two have the same lambda: networks that know only certain noise levels may have steps of
 * length 0.
 */
final class PredictionHistory implements AutoCloseable {
  private final int most;
  private final List<Tensor> predictions = new ArrayList<>();
  private final List<Double> lambdas = new ArrayList<>();

  /**
   * Creates an empty history.
   *
   * @param most how many predictions it holds; the oldest is freed first
   */
  PredictionHistory(int most) {
    this.most = most;
  }

  /** Returns lambda of a noise level above 0. */
  static double lambda(double t) {
    return -StrictMath.log(t);
  }

  /**
   * Adds a prediction, or replaces the newest one if it is of the same noise level.
   *
   * @param t its noise level, above 0
   * @param prediction taken out of its scope, and freed by this history
   */
  void add(double t, Tensor prediction) {
    double lambda = lambda(t);
    if (!lambdas.isEmpty() && lambdas.getFirst() == lambda) {
      remove(0);
    } else if (predictions.size() == most) {
      remove(most - 1);
    }
    predictions.addFirst(prediction.release());
    lambdas.addFirst(lambda);
  }

  private void remove(int k) {
    predictions.remove(k).close();
    lambdas.remove(k);
  }

  /** Returns the number of predictions. */
  int size() {
    return predictions.size();
  }

  /** Returns the predictions, newest first; they belong to the history. */
  List<Tensor> predictions() {
    return predictions;
  }

  /** Returns the distance in lambda from the newest prediction to a noise level above 0. */
  double distance(double t) {
    return lambda(t) - lambdas.getFirst();
  }

  /** Returns the distances in lambda between successive predictions, newest first. */
  double[] gaps() {
    double[] gaps = new double[Math.max(0, lambdas.size() - 1)];
    for (int k = 0; k < gaps.length; k++) {
      gaps[k] = lambdas.get(k) - lambdas.get(k + 1);
    }
    return gaps;
  }

  @Override
  public void close() {
    predictions.forEach(Tensor::close);
    predictions.clear();
    lambdas.clear();
  }
}
