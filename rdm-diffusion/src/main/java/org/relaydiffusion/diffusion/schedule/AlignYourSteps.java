// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.schedule;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/**
 * A listed schedule, such as one that was optimized for a network, interpolated to any number of
 * levels: linearly in the logarithm of the level over the place in the list (Sabour et al., arXiv
 * 2404.14507). As many levels as the list has are those of the list.
 *
 * @param levels at least 2, finite, above 0, strictly falling
 */
public record AlignYourSteps(List<Double> levels) implements LevelSchedule {
  static final String NAME = "align-your-steps";

  private static final int MOST_BYTES = 1 << 16;

  /** The maximum number of levels. */
  public static final int MOST_LEVELS = 1000;

  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");

  /**
   * Checks the levels.
   *
   * @throws OptionException saying what is wrong
   */
  public AlignYourSteps {
    levels = List.copyOf(levels);
    if (levels.size() < 2 || levels.size() > MOST_LEVELS) {
      throw new OptionException(
          "a schedule must have 2 to %s noise levels, but has %s"
              .formatted(MOST_LEVELS, levels.size()));
    }
    for (int i = 0; i < levels.size(); i++) {
      double level = levels.get(i);
      if (!(level > 0) || Double.isInfinite(level)) {
        throw new OptionException(
            "a schedule must have finite noise levels above 0, but number %s is %s"
                .formatted(i + 1, level));
      }
      if (i > 0 && !(level < levels.get(i - 1))) {
        throw new OptionException(
            "a schedule must have falling noise levels, but number %s is %s after %s"
                .formatted(i + 1, level, levels.get(i - 1)));
      }
    }
  }

  /**
   * Reads the levels from a text file, separated by commas, spaces or line ends.
   *
   * @throws FileException if it cannot be read, or does not hold such levels
   */
  public static AlignYourSteps read(Path file) {
    List<Double> levels = new ArrayList<>();
    for (String word : text(file).strip().split("\\s*,\\s*|\\s+", -1)) {
      levels.add(number(file, word));
    }
    try {
      return new AlignYourSteps(levels);
    } catch (OptionException e) {
      throw new FileException(file, String.valueOf(e.getMessage()), e);
    }
  }

  /**
   * Parses levels that are separated by commas, as {@link #toString} gives them.
   *
   * @throws OptionException if they are not such levels
   */
  static AlignYourSteps parse(String text) {
    List<Double> levels = new ArrayList<>();
    for (String word : text.split(",", -1)) {
      if (levels.size() > MOST_LEVELS || !NUMBER.matcher(word).matches()) {
        throw new OptionException(
            "schedule must be at most %s noise levels, separated by commas, but has '%s'"
                .formatted(MOST_LEVELS, Printable.of(word, 40)));
      }
      levels.add(Double.parseDouble(word));
    }
    return new AlignYourSteps(levels);
  }

  private static String text(Path file) {
    try (InputStream in = InputFile.stream(file)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw new FileException(
            file, "has more than %s bytes, too many for a schedule".formatted(MOST_BYTES));
      }
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  private static double number(Path file, String word) {
    if (!NUMBER.matcher(word).matches()) {
      throw new FileException(
          file,
          "must hold noise levels as numbers, separated by commas or line ends, but has '%s'"
              .formatted(Printable.of(word, 40)));
    }
    return Double.parseDouble(word);
  }

  /**
   * Returns levels evenly spaced along the part of the schedule that is within a range.
   *
   * @param low the lowest level of the range
   * @param high the highest level of the range
   * @param numSteps number of levels, at least 2
   * @return falling levels
   * @throws OptionException if the range has no part of the schedule
   */
  public double[] steps(double low, double high, int numSteps) {
    double first = place(high);
    double last = place(low);
    if (!(first < last)) {
      throw new OptionException(
          "schedule must have levels in the range from %s to %s, but has %s to %s"
              .formatted(high, low, levels.getFirst(), levels.getLast()));
    }
    double[] steps = new double[numSteps];
    for (int i = 0; i < numSteps; i++) {
      // The last one exactly: rounding could lead beyond the list.
      double place = i == numSteps - 1 ? last : first + i * (last - first) / (numSteps - 1);
      // Rounding must not lead out of the range.
      steps[i] = Math.clamp(at(place), low, high);
    }
    return steps;
  }

  /** Returns the place of a level in the list, which may lie between two: 0 for higher ones. */
  private double place(double level) {
    int last = levels.size() - 1;
    if (level >= levels.getFirst()) {
      return 0;
    }
    if (level <= levels.get(last)) {
      return last;
    }
    int k = 0;
    while (levels.get(k + 1) > level) {
      k++;
    }
    return k
        + StrictMath.log(levels.get(k) / level) / StrictMath.log(levels.get(k) / levels.get(k + 1));
  }

  private double at(double place) {
    int k = Math.min((int) place, levels.size() - 1);
    double part = place - k;
    double level = levels.get(k);
    return part == 0
        ? level
        : level * StrictMath.exp(part * StrictMath.log(levels.get(k + 1) / level));
  }

  /** Returns the name with the levels, by which runs are compared, instead of the file's. */
  @Override
  public String toString() {
    return NAME + ":" + levels.stream().map(String::valueOf).collect(Collectors.joining(","));
  }
}
