// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.OptionException;

/**
 * The selected streams, for all processes of a node or by process, in torchrun's notation: {@code
 * 3} or {@code 0:1,1:3}.
 *
 * @param all a sum of {@link #OUT} and {@link #ERR}, for processes that are not listed
 * @param single the same for individual processes, by local rank
 */
public record StreamChoice(int all, Map<Integer, Integer> single) {
  /** Standard output. */
  public static final int OUT = 1;

  /** Standard error. */
  public static final int ERR = 2;

  /** No stream of any process. */
  public static final StreamChoice NONE = new StreamChoice(0, Map.of());

  /** Both streams of every process. */
  public static final StreamChoice BOTH = new StreamChoice(OUT + ERR, Map.of());

  private static final Pattern PAIR = Pattern.compile("(\\d{1,6}):([0-3])");

  /** Copies {@code single}. */
  public StreamChoice {
    single = Map.copyOf(single);
  }

  /**
   * Parses torchrun's notation.
   *
   * @param option name of the option, for the message
   * @param text its value
   * @return the selection
   * @throws OptionException if the text is not valid
   */
  public static StreamChoice parse(String option, String text) {
    if (text.matches("[0-3]")) {
      return new StreamChoice(Integer.parseInt(text), Map.of());
    }
    Map<Integer, Integer> single = new HashMap<>();
    for (String pair : text.split(",", -1)) {
      Matcher matcher = PAIR.matcher(pair.strip());
      if (!matcher.matches()) {
        throw new OptionException(
            ("%s must be 0 (neither), 1 (standard output), 2 (standard error), 3 (both), or such a"
                    + " number for each local rank as in 0:3,1:2, but is '%s'")
                .formatted(option, text));
      }
      single.put(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
    }
    return new StreamChoice(0, single);
  }

  /** Returns whether {@code stream}, {@link #OUT} or {@link #ERR}, of a process is selected. */
  boolean includes(int localRank, int stream) {
    return (single.getOrDefault(localRank, all) & stream) != 0;
  }

  /** Returns whether no stream of any process is selected. */
  public boolean isNone() {
    return all == 0 && single.values().stream().allMatch(streams -> streams == 0);
  }
}
