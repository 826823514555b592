package org.relaydiffusion.launch.process;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.OptionException;

/**
 * Which of a process's streams are meant, for all processes of a machine or one by one: torchrun's
 * {@code 3} or {@code 0:1,1:3}.
 *
 * @param all a sum of {@link #OUT} and {@link #ERR}: for those that are not named
 * @param single the same, by local rank
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
   * Reads torchrun's notation.
   *
   * @param option the option, for the message
   * @param text its value
   * @throws OptionException when it is none
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

  /** Whether {@code stream}, {@link #OUT} or {@link #ERR}, of a process is meant. */
  boolean includes(int localRank, int stream) {
    return (single.getOrDefault(localRank, all) & stream) != 0;
  }

  /** Whether no stream of any process is meant. */
  public boolean isNone() {
    return all == 0 && single.values().stream().allMatch(streams -> streams == 0);
  }
}
