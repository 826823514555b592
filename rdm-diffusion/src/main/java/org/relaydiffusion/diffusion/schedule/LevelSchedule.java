// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.schedule;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;

/** How the noise levels of a stage are spaced between the highest and the lowest. */
public sealed interface LevelSchedule
    permits LevelSchedule.Karras, LevelSchedule.UniformLambda, AlignYourSteps {
  /** The schedule of the reference. */
  LevelSchedule KARRAS = new Karras();

  /** Evenly spaced in {@code sigma^(1/rho)}, see {@link KarrasSchedule}. */
  record Karras() implements LevelSchedule {
    @Override
    public String toString() {
      return "karras";
    }
  }

  /** Evenly spaced in lambda = -ln sigma. */
  record UniformLambda() implements LevelSchedule {
    /**
     * Returns the levels, highest first.
     *
     * @param low the lowest level
     * @param high the highest level, above {@code low}
     * @param numSteps number of levels, at least 2
     * @throws OptionException if the lowest level is 0, whose lambda is infinite
     */
    public double[] steps(double low, double high, int numSteps) {
      if (low == 0) {
        throw new OptionException("sigma_min must be above 0 for the schedule " + this);
      }
      double length = StrictMath.log(low / high);
      double[] steps = new double[numSteps];
      for (int i = 0; i < numSteps; i++) {
        steps[i] = Math.max(low, high * StrictMath.exp(i * length / (numSteps - 1)));
      }
      steps[numSteps - 1] = low;
      return steps;
    }

    @Override
    public String toString() {
      return "uniform-lambda";
    }
  }

  /**
   * Parses the text of a schedule, as {@code toString} gives it: {@code karras}, {@code
   * uniform-lambda}, or {@code align-your-steps:80.0,5.0,...} with its levels. Reads no file.
   *
   * @throws OptionException for anything else
   */
  static LevelSchedule parse(String text) {
    String listed = AlignYourSteps.NAME + ":";
    if (text.startsWith(listed)) {
      return AlignYourSteps.parse(text.substring(listed.length()));
    }
    return switch (text) {
      case "karras" -> KARRAS;
      case "uniform-lambda" -> new UniformLambda();
      default ->
          throw new OptionException(
              "schedule must be karras, uniform-lambda or align-your-steps:LEVELS, but is '%s'"
                  .formatted(Printable.of(text)));
    };
  }

  /**
   * Parses what a user types: {@code karras}, {@code uniform-lambda} or {@code
   * align-your-steps:FILE}, and reads the file.
   *
   * @throws OptionException for anything else
   * @throws org.relaydiffusion.FileException if the file cannot be read or is not a schedule
   */
  static LevelSchedule typed(String text) {
    String listed = AlignYourSteps.NAME + ":";
    if (text.startsWith(listed)) {
      return AlignYourSteps.read(path(text.substring(listed.length())));
    }
    return switch (text) {
      case "karras", "uniform-lambda" -> parse(text);
      default ->
          throw new OptionException(
              "schedule must be karras, uniform-lambda or align-your-steps:FILE, but is '%s'"
                  .formatted(Printable.of(text)));
    };
  }

  private static Path path(String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new OptionException(
          "schedule must name a file, but '%s' is not a valid file name: %s"
              .formatted(Printable.of(text), e.getReason()));
    }
  }
}
