// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.OptionException;

/**
 * A short list of integers as on the reference's command lines: {@code 1,2-4} is 1, 2, 3, 4.
 *
 * @param values in the given order, at least one
 */
public record IntList(List<Integer> values) {
  private static final Pattern PART = Pattern.compile("(-?\\d{1,9})(?:-(\\d{1,9}))?");
  private static final int MOST = 1000;

  /** Copies the list. */
  public IntList {
    values = List.copyOf(values);
  }

  /**
   * Parses numbers and ranges, separated by commas.
   *
   * @throws OptionException naming the part that is neither, or if there are more than 1000 values
   */
  public static IntList parse(String text) {
    List<Integer> values = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      Matcher matcher = PART.matcher(part.strip());
      if (!matcher.matches()) {
        throw new OptionException(
            "expected numbers and ranges such as 1,2-4, but found '%s' in '%s'"
                .formatted(part, text));
      }
      int first = Integer.parseInt(matcher.group(1));
      int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
      if (last < first) {
        throw new OptionException(
            "%s: the start of a range must not exceed its end".formatted(part.strip()));
      }
      if (values.size() + ((long) last - first) >= MOST) {
        throw new OptionException("'%s' has more than %s numbers".formatted(text, MOST));
      }
      for (int value = first; value <= last; value++) {
        values.add(value);
      }
    }
    return new IntList(values);
  }
}
