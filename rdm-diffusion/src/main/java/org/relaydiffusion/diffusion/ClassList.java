package org.relaydiffusion.diffusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.OptionException;

/**
 * The classes that a run's images take in turn, as {@code --class} gives them: {@code 1,5-9} is 1
 * and 5 to 9. The image of a seed is of class number seed mod size, counted from 0: whatever the
 * other seeds, the batch and the processes are. Order and repetitions are kept.
 *
 * @param labels the classes, each at least 0; none for all that the networks know
 */
public record ClassList(List<Integer> labels) {
  /** All classes of the networks: the image of a seed is of class seed mod classes. */
  public static final ClassList ALL = new ClassList(List.of());

  /** The most classes that a network has, see {@code ModelConfig}. */
  private static final int MOST = 1 << 20;

  private static final Pattern RANGE = Pattern.compile("(\\d+)-(\\d+)");
  private static final Pattern NUMBER = Pattern.compile("-?\\d+");

  /**
   * Checks the classes.
   *
   * @throws OptionException when one is negative
   */
  public ClassList {
    labels = List.copyOf(labels);
    labels.forEach(label -> Check.atLeast("class", 0, label));
  }

  /** These classes, in this order. */
  public static ClassList of(int... labels) {
    return new ClassList(Arrays.stream(labels).boxed().toList());
  }

  /**
   * Reads a list of numbers and ranges, separated by commas.
   *
   * @param text such as {@code 207} or {@code 1,5-9}
   * @throws OptionException naming the part that is neither a class nor a range that rises
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
            "--class %s: a range goes from the lower class to the higher one".formatted(part));
      }
      for (int label = first; label <= last; label++) {
        labels.add(label);
      }
      if (labels.size() > MOST) {
        throw new OptionException("--class names more than %s classes".formatted(MOST));
      }
    }
    return new ClassList(labels);
  }

  private static int number(String part, String text) {
    if (!NUMBER.matcher(part).matches()) {
      throw new OptionException(
          "--class takes numbers and ranges such as 1,5-9, but found '%s' in '%s'"
              .formatted(part, text));
    }
    if (part.startsWith("-")) {
      throw new OptionException("--class must be at least 0, but is " + part);
    }
    // No network has so many classes; the digits need not fit a number.
    if (part.length() > 9 || Integer.parseInt(part) >= MOST) {
      throw new OptionException("--class must be below %s, but is %s".formatted(MOST, part));
    }
    return Integer.parseInt(part);
  }

  /** Whether all classes of the networks are meant. */
  public boolean isAll() {
    return labels.isEmpty();
  }

  /**
   * The class of a seed's image.
   *
   * @param classes how many the networks know, at least 1
   */
  int of(long seed, int classes) {
    return isAll() ? Math.floorMod(seed, classes) : labels.get(Math.floorMod(seed, labels.size()));
  }

  /** The list as {@link #parse} reads it, in its shortest form; empty for all classes. */
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
