// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.OptionException;

/**
 * The classes of a run's images, as given by {@code --class}: {@code 1,5-9} is 1 and 5 to 9. They
 * are assigned in turn: the image of a seed has class number seed mod size, counted from 0,
 * regardless of the other seeds, the batch and the processes. Order and repetitions are kept.
 *
 * @param labels the classes, each at least 0; empty for all classes of the networks
 */
public record ClassList(List<Integer> labels) {
  /** All classes of the networks: the image of a seed has class seed mod number of classes. */
  public static final ClassList ALL = new ClassList(List.of());

  /** The maximum number of classes of a network, see {@code ModelConfig}. */
  private static final int MOST = 1 << 20;

  private static final Pattern RANGE = Pattern.compile("(\\d+)-(\\d+)");
  private static final Pattern NUMBER = Pattern.compile("-?\\d+");

  /**
   * Checks the classes.
   *
   * @throws OptionException if one is negative
   */
  public ClassList {
    labels = List.copyOf(labels);
    labels.forEach(label -> Check.atLeast("class", 0, label));
  }

  /** Returns a list of these classes, in this order. */
  public static ClassList of(int... labels) {
    return new ClassList(Arrays.stream(labels).boxed().toList());
  }

  /**
   * Parses a list of numbers and ranges, separated by commas.
   *
   * @param text such as {@code 207} or {@code 1,5-9}
   * @throws OptionException naming the part that is neither a class nor an increasing range
   */
  public static ClassList parse(String text) {
    List<Integer> labels = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      Matcher range = RANGE.matcher(part.strip());
      boolean isRange = range.matches();
      int first = number(isRange ? range.group(1) : part.strip(), text);
      int last = isRange ? number(range.group(2), text) : first;
      if (last < first) {
        throw new OptionException(
            "--class %s: the start of a range must not exceed its end".formatted(part));
      }
      for (int label = first; label <= last; label++) {
        labels.add(label);
      }
      if (labels.size() > MOST) {
        throw new OptionException("--class has more than %s classes".formatted(MOST));
      }
    }
    return new ClassList(labels);
  }

  private static int number(String part, String text) {
    if (!NUMBER.matcher(part).matches()) {
      throw new OptionException(
          "--class must be numbers and ranges such as 1,5-9, but found '%s' in '%s'"
              .formatted(part, text));
    }
    if (part.startsWith("-")) {
      throw new OptionException("--class must be at least 0, but is " + part);
    }
    // No network has so many classes; the value may not fit an integer.
    if (part.length() > 9 || Integer.parseInt(part) >= MOST) {
      throw new OptionException("--class must be below %s, but is %s".formatted(MOST, part));
    }
    return Integer.parseInt(part);
  }

  /** Returns whether this stands for all classes of the networks. */
  public boolean isAll() {
    return labels.isEmpty();
  }

  /**
   * Returns the class of a seed's image.
   *
   * @param classes number of classes of the networks, at least 1
   */
  int of(long seed, int classes) {
    return isAll() ? Math.floorMod(seed, classes) : labels.get(Math.floorMod(seed, labels.size()));
  }

  /** Returns the list as parsed by {@link #parse}, in its shortest form; empty for all classes. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (int begin = 0; begin < labels.size(); ) {
      int end = begin;
      while (end + 1 < labels.size() && labels.get(end + 1) == labels.get(end) + 1) {
        end++;
      }
      text.append(text.isEmpty() ? "" : ",").append(labels.get(begin));
      if (end > begin) {
        text.append('-').append(labels.get(end));
      }
      begin = end + 1;
    }
    return text.toString();
  }
}
