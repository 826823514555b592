package org.relaydiffusion.diffusion.train;

import java.util.OptionalDouble;
import org.relaydiffusion.OptionException;

/**
 * How a run goes on in time, counted in thousands of training images (kimg).
 *
 * @param totalKimg when it ends, above 0
 * @param learningRate after the ramp, above 0
 * @param rampupKimg until when the learning rate rises in proportion, at least 0
 * @param emaHalflifeKimg the moving average's half-life, at least 0
 * @param emaRampupRatio the half-life is at most this part of the images so far; empty for no limit
 */
public record TrainingSchedule(
    double totalKimg,
    double learningRate,
    double rampupKimg,
    double emaHalflifeKimg,
    OptionalDouble emaRampupRatio) {
  /** The reference's ramp of the learning rate. */
  public static final double DEFAULT_RAMPUP_KIMG = 10_000;

  /** The reference's limit of the moving average's half-life. */
  public static final double DEFAULT_EMA_RAMPUP_RATIO = 0.05;

  private static final double IMAGES = 1000;
  private static final double KIMG = 1000;
  private static final double TINY = 1e-8;

  /** Checks the numbers. */
  public TrainingSchedule {
    if (!(totalKimg > 0) || Double.isInfinite(totalKimg)) {
      throw new OptionException("a run's length must be above 0 kimg, not " + totalKimg);
    }
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw new OptionException("the learning rate must be above 0, not " + learningRate);
    }
    check("the learning rate's ramp", rampupKimg);
    check("the moving average's half-life", emaHalflifeKimg);
    check("the limit of the moving average's half-life", emaRampupRatio.orElse(0));
  }

  private static void check(String what, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new OptionException("%s must be 0 or more, not %s".formatted(what, value));
    }
  }

  /**
   * Thousands of images from millions, as the reference's command line takes both the length of a
   * run and the half-life of the average: cut to a whole number. Less than 1 kimg stays as it is,
   * for runs of a few steps; the reference would train on 1 kimg, and average over nothing.
   *
   * @param mimg millions of images
   */
  public static double wholeKimg(double mimg) {
    double kimg = mimg * KIMG;
    return kimg < 1 ? kimg : Math.floor(kimg);
  }

  /** The number of images after which the run ends, at least 1. */
  public long totalImages() {
    return Math.max(1, Math.round(totalKimg * IMAGES));
  }

  /** The learning rate of the step that begins after {@code images} images. */
  public double learningRateAt(long images) {
    return learningRate * Math.min(images / Math.max(rampupKimg * IMAGES, TINY), 1);
  }

  /**
   * How much of the moving average the step that begins after {@code images} images keeps.
   *
   * @param batch images of one step
   * @return beta, 0 to 1: average = beta average + (1 - beta) parameter
   */
  public double emaBetaAt(long images, int batch) {
    double halflife = emaHalflifeKimg * IMAGES;
    if (emaRampupRatio.isPresent()) {
      halflife = Math.min(halflife, images * emaRampupRatio.getAsDouble());
    }
    return Math.pow(0.5, batch / Math.max(halflife, TINY));
  }
}
