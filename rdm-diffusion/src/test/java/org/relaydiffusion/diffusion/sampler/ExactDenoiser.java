// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * The ideal denoiser of data that is known in closed form, computed in float64. Pixels are
 * independent of each other.
 */
final class ExactDenoiser implements GuidedDenoiser {
  /** The ideal prediction for one pixel. */
  interface Prediction {
    /**
     * Returns the mean of the pixel's data given its noisy value.
     *
     * @param pixel its place in the batch, row by row
     * @param x the noisy value
     * @param t the noise level
     */
    double of(int pixel, double x, double t);
  }

  /** Gaussian data: pixel i has the mean and the deviation at i modulo their number. */
  record Gaussian(double[] mean, double[] deviation) implements Prediction {
    double mean(int pixel) {
      return mean[pixel % mean.length];
    }

    double variance(int pixel) {
      double s = deviation[pixel % deviation.length];
      return s * s;
    }

    @Override
    public double of(int pixel, double x, double t) {
      double v = variance(pixel);
      return mean(pixel) + v / (v + t * t) * (x - mean(pixel));
    }
  }

  /** A mixture of Gaussians, for which the flow is not linear. */
  record Mixture(double[] parts, double[] means, double[] deviations) implements Prediction {
    @Override
    public double of(int pixel, double x, double t) {
      double weights = 0;
      double sum = 0;
      for (int k = 0; k < parts.length; k++) {
        double v = deviations[k] * deviations[k];
        double total = v + t * t;
        double apart = x - means[k];
        double weight = parts[k] / Math.sqrt(total) * Math.exp(-apart * apart / (2 * total));
        weights += weight;
        sum += weight * (means[k] + v / total * apart);
      }
      return sum / weights;
    }
  }

  private final Prediction prediction;
  private final Network network;
  private int calls;

  ExactDenoiser(Prediction prediction) {
    this(prediction, 0);
  }

  /** Creates a network that knows multiples of {@code grid} only. */
  ExactDenoiser(Prediction prediction, double grid) {
    this.prediction = prediction;
    this.network = new Network(grid);
  }

  int calls() {
    return calls;
  }

  @Override
  public Tensor denoise(Tensor x, double sigma) {
    calls++;
    double[] values = x.toDoubles();
    for (int i = 0; i < values.length; i++) {
      values[i] = prediction.of(i, values[i], sigma);
    }
    return Torch.tensor(values, x.shape());
  }

  @Override
  public Denoiser network() {
    return network;
  }

  @Override
  public GuidedDenoiser unguided() {
    return this;
  }

  private record Network(double grid) implements Denoiser {
    @Override
    public Tensor denoise(Tensor x, Tensor sigma, @Nullable Tensor labels) {
      throw new UnsupportedOperationException("the guided denoiser is asked");
    }

    @Override
    public int resolution() {
      return 8;
    }

    @Override
    public int channels() {
      return 1;
    }

    @Override
    public int labelDim() {
      return 0;
    }

    @Override
    public double sigmaMin() {
      return 0;
    }

    @Override
    public double sigmaMax() {
      return Double.POSITIVE_INFINITY;
    }

    @Override
    public double roundSigma(double sigma) {
      return grid == 0 ? sigma : Math.max(grid, Math.rint(sigma / grid) * grid);
    }
  }
}
