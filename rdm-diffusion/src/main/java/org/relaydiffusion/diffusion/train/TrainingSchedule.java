// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.OptionalDouble;
import org.relaydiffusion.OptionException;

/**
 * The schedule of a run, in thousands of training images (kimg).
 *
 * @param totalKimg the duration, above 0
 * @param learningRate after the ramp-up, above 0
 * @param rampupKimg the duration of the linear ramp-up of the learning rate, at least 0
 * @param emaHalflifeKimg the half-life of the EMA, at least 0
 * @param emaRampupRatio limits the half-life to this fraction of the images so far; no limit if
 *     empty
 */
public record TrainingSchedule(
    double totalKimg,
    double learningRate,
    double rampupKimg,
    double emaHalflifeKimg,
    OptionalDouble emaRampupRatio) {
  /** The defaults of the reference's training script. */
  public static final TrainingSchedule DEFAULT =
      new TrainingSchedule(200_000, 1e-4, 10_000, 500, OptionalDouble.of(0.05));

  private static final double IMAGES = 1000;
  private static final double KIMG = 1000;
  private static final double TINY = 1e-8;

  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public TrainingSchedule {
    if (!(totalKimg > 0) || Double.isInfinite(totalKimg)) {
      throw new OptionException("the duration of a run must be above 0 kimg, but is " + totalKimg);
    }
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw new OptionException("the learning rate must be above 0, but is " + learningRate);
    }
    check("the ramp-up of the learning rate", rampupKimg);
    check("the half-life of the EMA", emaHalflifeKimg);
    check("the limit of the EMA half-life", emaRampupRatio.orElse(0));
  }

  private static void check(String what, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new OptionException("%s must be at least 0, but is %s".formatted(what, value));
    }
  }

  /**
   * Converts millions of images, as given on the reference's command line for the duration and the
   * EMA half-life, to thousands, rounded down to an integer. Values below 1 kimg are not rounded,
   * for runs of a few steps; the reference would train for 1 kimg, with an EMA half-life of zero.
   *
   * @param mimg millions of images
   */
  public static double wholeKimg(double mimg) {
    double kimg = mimg * KIMG;
    return kimg < 1 ? kimg : Math.floor(kimg);
  }

  /** Returns a builder that starts from this schedule. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Returns the number of images after which the run ends, at least 1. */
  public long totalImages() {
    return Math.max(1, Math.round(totalKimg * IMAGES));
  }

  /** Returns the learning rate of the step that begins after {@code images} images. */
  public double learningRateAt(long images) {
    return learningRate * Math.min(images / Math.max(rampupKimg * IMAGES, TINY), 1);
  }

  /**
   * Returns the decay of the EMA in the step that begins after {@code images} images.
   *
   * @param images trained on before the step
   * @param batch number of images of one step
   * @return beta, 0 to 1: ema = beta ema + (1 - beta) parameter
   */
  public double emaBetaAt(long images, int batch) {
    double halflife = emaHalflifeKimg * IMAGES;
    if (emaRampupRatio.isPresent()) {
      halflife = Math.min(halflife, images * emaRampupRatio.getAsDouble());
    }
    return Math.pow(0.5, batch / Math.max(halflife, TINY));
  }

  /** Builds modified schedules. */
  public static final class Builder {
    private double totalKimg;
    private double learningRate;
    private double rampupKimg;
    private double emaHalflifeKimg;
    private OptionalDouble emaRampupRatio;

    private Builder(TrainingSchedule from) {
      totalKimg = from.totalKimg;
      learningRate = from.learningRate;
      rampupKimg = from.rampupKimg;
      emaHalflifeKimg = from.emaHalflifeKimg;
      emaRampupRatio = from.emaRampupRatio;
    }

    /** Sets the duration in thousands of images. */
    public Builder totalKimg(double value) {
      totalKimg = value;
      return this;
    }

    /** Sets the learning rate after the ramp-up. */
    public Builder learningRate(double value) {
      learningRate = value;
      return this;
    }

    /** Sets the duration of the ramp-up of the learning rate in thousands of images. */
    public Builder rampupKimg(double value) {
      rampupKimg = value;
      return this;
    }

    /** Sets the half-life of the EMA in thousands of images. */
    public Builder emaHalflifeKimg(double value) {
      emaHalflifeKimg = value;
      return this;
    }

    /** Limits the half-life to this fraction of the images so far; empty for no limit. */
    public Builder emaRampupRatio(OptionalDouble value) {
      emaRampupRatio = value;
      return this;
    }

    /**
     * Builds the schedule.
     *
     * @throws OptionException naming the value that is out of range
     */
    public TrainingSchedule build() {
      return new TrainingSchedule(
          totalKimg, learningRate, rampupKimg, emaHalflifeKimg, emaRampupRatio);
    }
  }
}
